"""What a report says in words: the verdict, what did not pass, and the facts around it.

Plain text, not yet escaped: each writer escapes for its own format.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.head import Head, HeadKind
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.report import words
from resnet_edge.report.blocks import Outcome
from resnet_edge.report.few_images import few_images, unsaid
from resnet_edge.report.grouped import grouped, names
from resnet_edge.report.rows import WORDS, Standing, conditions, standing_of

Fact = tuple[str, str]


@dataclass(frozen=True)
class VerdictRow:
    """The verdict on the whole run: a word, and one sentence that supports it."""

    word: Outcome
    sentence: str


def verdict(report: Report) -> VerdictRow:
    """`passed` only where `report.passed`; otherwise the gravest thing names it."""
    standings = [standing_of(report, artifact.file) for artifact in report.artifacts]
    if report.passed:
        every = "The artifact" if len(standings) == 1 else f"All {len(standings)} artifacts"
        return VerdictRow("passed", f"{every} passed: {_claim(report)}.")
    sentence = _tally(standings)
    if open_doubts(report.doubts):
        sentence = f"The reference itself is in doubt, and with it every proof. {sentence}"
    if report.parity and not labelled(report):
        sentence += " The images have no labels, so accuracy is not proved."
    if report.failures:
        sentence += f" {words.count(len(report.failures), 'thing')} asked for could not be done."
    if few := few_images(report.parity, report.max_drop_pp):
        sentence += f" {few}"
    if "fail" in standings:
        return VerdictRow("failed", sentence)
    incomplete = bool(report.failures) or "unverified" in standings or not standings
    return VerdictRow("incomplete" if incomplete else "inconclusive", sentence)


def _tally(standings: list[Standing]) -> str:
    if not standings:
        return "No artifact was made."
    counts = [
        f"{standings.count(standing)} {phrase}"
        for standing, phrase in (
            ("fail", "failed"),
            ("inconclusive", "inconclusive"),
            ("unverified", "not verified"),
            ("pass", "passed"),
        )
        if standing in standings
    ]
    return f"Of {words.count(len(standings), 'artifact')}: {', '.join(counts)}."


def _claim(report: Report) -> str:
    name, kind = words.printable(report.model.name), report.model.head.kind
    limit, proof = f"{report.max_drop_pp:g} pp of {name}", f"tested on {images(report)}"
    if report.parity and kind == "multilabel":
        return f"each of {report.model.classes} labels stays within {limit}, {proof}"
    if report.parity and kind == "embedding":
        return f"nearest neighbours stay within {limit}, {proof}"
    if all(row.drop_pp is not None for row in report.parity):
        return f"top-1 stays within {report.max_drop_pp:g} pp of {name}, tested on {images(report)}"
    return f"agreement with {name}, tested on {images(report)} without labels"


def images(report: Report) -> str:
    """How many images the proofs rest on: `10,000 images`, `64 to 10,000 images`."""
    sizes = sorted({row.n for row in report.parity})
    if len(sizes) > 1:
        return f"{sizes[0]:,} to {words.count(sizes[-1], 'image')}"
    return words.count(sizes[0] if sizes else 0, "image")


def labelled(report: Report) -> bool:
    """Whether the images have labels: the data says so, or a top-1 was measured."""
    return bool(report.data.get("labelled")) or any(words.finite(row.top1) for row in report.parity)


def troubles(report: Report) -> list[tuple[str, list[str]]]:
    """What did not pass, each with its reasons in words; not what the verdict says of too few images."""
    unpassed = [
        (f"{names(rows)}: {WORDS[rows[0].verdict]}", _reasons(rows[0]))
        for rows, _ in grouped(unsaid(report.parity, report.max_drop_pp))
    ]
    unproved = [a.file for a in report.artifacts if standing_of(report, a.file) == "unverified"]
    return unpassed + [
        (f"{file}: {WORDS['unverified']}", ["No backend compared it with the reference."])
        for file in unproved
    ]


def _reasons(row: Parity) -> list[str]:
    reasons = [*row.reasons]
    needed = row.samples_needed
    if needed is not None and not any(str(needed) in reason.replace(",", "") for reason in reasons):
        reasons.append(f"About {words.count(needed, 'image')} would decide it; there were {row.n:,}.")
    return reasons or ["No reason was recorded."]


TOP1: dict[HeadKind, str] = {
    "classes": "Top-1",
    "binary": "Top-1",
    "multilabel": "Right answers, of all labels",
    "embedding": "Nearest neighbour of the same class",
}
"""What `top1` of a report is, by the head (core.results.parity)."""

DROPS: dict[HeadKind, str] = {
    "classes": "top-1",
    "binary": "top-1",
    "multilabel": "the right answers to each label",
    "embedding": "nearest neighbours",
}
"""What may drop."""


def model_facts(report: Report) -> list[Fact]:
    """The Keras model that everything is compared with."""
    model = report.model
    top1 = next((row for row in report.parity if words.finite(row.reference_top1)), None)
    facts = [
        ("Source", model.source),
        ("SHA-256", model.sha256),
        ("Parameters", f"{model.parameters:,}"),
        ("Multiply-accumulates", words.quantity(model.macs)),
        ("Input (H, W, C)", " × ".join(str(size) for size in model.input_shape)),
        *_classes_or_dimensions(model),
        ("Answer", model.head.rule),
    ]
    if top1 is not None:
        facts.insert(
            2,
            (
                TOP1[model.head.kind],
                f"{words.percent(top1.reference_top1, top1.n)} on {words.count(top1.n, 'image')}",
            ),
        )
    return facts


def _classes_or_dimensions(model: ModelFacts) -> list[Fact]:
    """What the outputs are of; an embedding tells nothing apart."""
    if model.head.kind == "embedding":
        return [("Embedding", f"{model.head.dimensions} numbers")]
    named = _classes(model.class_names, model.classes)
    return [("Labels" if model.head.kind == "multilabel" else "Classes", named)]


def _values(head: Head) -> str:
    if head.kind == "classes":
        return f"one value for each of the {head.classes} classes"
    if head.kind == "multilabel":
        return f"one value for each of the {head.classes} labels; an image has {head.rule}"
    if head.kind == "embedding":
        return f"{head.dimensions} numbers, by which images are compared; the answer is {head.rule}"
    return f"one value, of the second of two classes; the answer is {head.rule}"


def _classes(names: tuple[str, ...], classes: int) -> str:
    if not names:
        return str(classes)
    shown = ", ".join(words.printable(name) for name in names[:10])
    return f"{classes}: {shown}{', …' if len(names) > 10 else ''}"


def data_facts(report: Report) -> list[Fact]:
    """What it was tested on, what it was calibrated with, and what was permitted."""
    return [
        ("Test data", words.plain(report.data)),
        ("Calibration", words.plain(_without_choice(report)) if report.calibration else "none was needed"),
        *_choice(report),
        ("Permitted drop", f"{report.max_drop_pp:g} pp of {DROPS[report.model.head.kind]}"),
    ]


CHOICE = frozenset({"calibrator", "repairs", "sqnr_db", "judged", "tried", "skipped", "shared_scale"})
"""What `calibration` holds beside the images: how ranges were chosen."""
REPAIRS = {
    "round": "weights rounded together",
    "equalize": "channels equalized",
    "bias": "biases corrected",
}


def _without_choice(report: Report) -> dict[str, Any]:
    return {key: value for key, value in (report.calibration or {}).items() if key not in CHOICE}


def _choice(report: Report) -> list[Fact]:
    """How the ranges were chosen, and what else was tried."""
    calibration = report.calibration or {}
    if "calibrator" not in calibration:
        return []
    judged = words.count(calibration["judged"], "calibration image")
    facts = [("Ranges", f"{_trial(calibration)}, judged on {judged}")]
    if cost := calibration.get("shared_scale"):
        facts.append(
            (
                "Dense layers",
                f"one scale for all outputs {words.decibels(cost['per_tensor_db'])}, one for each "
                f"{words.decibels(cost['per_channel_db'])}, on {words.count(cost['n'], 'calibration image')}",
            )
        )
    others = [trial for trial in calibration["tried"] if _trial(trial) != _trial(calibration)]
    return [*facts, ("Also tried", "; ".join(map(_trial, others)))] if others else facts


def _trial(trial: dict[str, Any]) -> str:
    """`minmax with channels equalized: 36.4 dB`."""
    repairs = " and ".join(REPAIRS.get(name, name) for name in trial["repairs"])
    name = f"{trial['calibrator']} with {repairs}" if repairs else str(trial["calibrator"])
    sqnr = trial["sqnr_db"]
    return f"{name}: {'refused by LiteRT' if sqnr is None else words.decibels(sqnr)}"


def feeding(report: Report) -> list[str]:
    """How to feed an artifact and read what comes out, in sentences."""
    how = report.model.preprocessing
    height, width, channels = report.model.input_shape
    order = {1: "grey", 3: "RGB"}.get(channels, f"{channels} channels")
    lines = [f"Input `image`: NHWC, {height} × {width} × {channels} ({order})."]
    formula = (
        f"value = pixel × {_vector(how.scale)} + {_vector(how.offset)}, channels in {how.channels} order"
    )
    if how.where == "graph":
        lines.append(f"Give raw pixels, 0 to 255. Preprocessing ({how.name}) is inside the graph: {formula}.")
    elif how.where == "model":
        lines.append(
            "Give raw pixels, 0 to 255. The Keras model does its own preprocessing, and so do the artifacts."
        )
    elif how.identity:
        lines.append("Preprocessing is not inside: give what the Keras model takes.")
    else:
        lines.append(f"Preprocessing ({how.name}) is not inside; apply it first: {formula}.")
    lines.append(f"Output `{report.model.output}`: {_values(report.model.head)}.")
    if any(
        tensor.quantization
        for artifact in report.artifacts
        for tensor in (*artifact.inputs, *artifact.outputs)
    ):
        lines.append(
            "Where a scale and a zero point are given, real = scale × (stored − zero point); "
            "round and clip to the dtype."
        )
    return lines


def _vector(values: tuple[float, ...]) -> str:
    texts = [f"{value:.6g}" for value in values]
    return texts[0] if len(set(texts)) == 1 else f"({', '.join(texts)})"


def tensor_facts(tensor: TensorSpec) -> tuple[str, str, str, str, str]:
    """Name, shape, dtype, scale and zero point of an input or output."""
    shape = " × ".join("?" if size is None else str(size) for size in tensor.shape)
    scale, zero_point = _affine(tensor.quantization)
    return tensor.name, shape, tensor.dtype, scale, zero_point


def _affine(quantization: Quantization | None) -> tuple[str, str]:
    if quantization is None:
        return words.ABSENT, words.ABSENT
    if len(quantization.scale) == 1:
        return f"{quantization.scale[0]:.9g}", ", ".join(str(z) for z in quantization.zero_point)
    low, high = min(quantization.scale), max(quantization.scale)
    return (
        f"{low:.4g} to {high:.4g} ({len(quantization.scale)} along axis {quantization.axis})",
        ", ".join(str(z) for z in sorted(set(quantization.zero_point))),
    )


def machine_rows(machine: Mapping[str, Any]) -> list[Fact]:
    """`machine` of a report, with a row for each other machine that files ran on."""
    rows = [(key, words.plain(value)) for key, value in machine.items() if key not in ("command", "hosts")]
    for host, facts in machine.get("hosts", {}).items():
        runtimes = ", ".join(f"{name} {version}" for name, version in facts.get("runtimes", {}).items())
        cores = words.count(facts.get("usable_cores") or 0, "core")
        what = ", ".join((str(facts.get("cpu")), cores, str(facts.get("architecture")), str(facts.get("os"))))
        rows.append((host, f"{what}; {runtimes}"))
    return rows


def machine_facts(report: Report) -> list[Fact]:
    """The machine, then how latency was measured, then the versions."""
    facts = machine_rows(report.machine)
    if conditions(report):
        facts.append(("latency", conditions(report)))
    return [*facts, ("resnet-edge", report.resnet_edge), *((k, v) for k, v in report.versions.items())]


def command(report: Report | Verification) -> str | None:
    """The command line that repeats the run, where `machine` holds it: text or a list."""
    line = report.machine.get("command")
    if isinstance(line, (list, tuple)):
        line = shlex.join(str(word) for word in line)
    return words.printable(line) if isinstance(line, str) and line else None
