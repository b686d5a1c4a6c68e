"""Runs in the parent. What a report should say beside its figures: sentences, and where images and
ranges came from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from resnet_edge.calibrate.calibration_task import Calibration, SharedScale
from resnet_edge.calibrate.learned_task import Placed
from resnet_edge.conversion.mixed_precision_task import FloatChoice
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.device import is_software, untimed
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.proportion import paired_drop
from resnet_edge.core.results.mixed_precision import MixedPrecision
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.scheme import DenseScales
from resnet_edge.core.sequential import LAST, Looks, fewest, quantile
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.compare_task import Agreement
from resnet_edge.schemes import scheme_of

POOR = 0.5
"""A trained classifier that is right less often than this was probably fed wrongly: with the
wrong preprocessing, top-1 is seldom at chance but often below a half."""


def stopped(parity: Sequence[Parity], looks: Looks) -> list[str]:
    """One line on proofs that stopped before they had run all images; nothing where none did."""
    total, ended = looks.at[-1], Counter(row.n for row in parity)
    if not any(n < total for n in ended):
        return []
    proofs = ", ".join(f"{_proofs(ended[n])} after {n:,}" for n in sorted(ended))
    return [
        f"stopped early (--sequential), of {total:,} images in random order: {proofs}. Each interval is of "
        f"{100 * looks.confidence:.4g} %, so that all of {len(looks.at)} looks hold together with 95 %; what "
        f"is reported beside verdicts is of the first {min(ended):,} images. Without it all are run"
    ]


def _proofs(count: int) -> str:
    return "1 proof" if count == 1 else f"{count} proofs"


def latency_is_local(cluster: str | None, seconds: float) -> tuple[str, ...]:
    """A note on latency beside proofs of a cluster, whose machines nobody has for himself."""
    if cluster is None or not seconds:
        return ()
    return (
        f"latency was measured on this machine and not on --cluster {cluster}, where others may run, too: "
        "time a machine over ssh, as --backends litert@HOST",
    )


def unlike_machines(parity: Sequence[Parity]) -> tuple[str, ...]:
    """A note where machines of a cluster whose processors differ shared a proof."""
    names = sorted({machine for row in parity for machine in row.machines})
    if not names:
        return ()
    return (
        f"the processors of {', '.join(names)} differ, and which of them ran what is chance: last bits of "
        "outputs may be others in another run; `machines` of each row names those that took part",
    )


def one_look_only(n: int, max_drop_pp: float) -> str:
    """Why nothing can stop early."""
    if max_drop_pp <= 0:
        return (
            f"--sequential: no number of images passes --max-drop 0 unless answers change; all {n:,} are run"
        )
    needed = math.ceil(LAST * fewest(max_drop_pp / 100, quantile(2)))
    return (
        f"--sequential: all {n:,} images are run; proofs of --max-drop {max_drop_pp:g} can stop early where "
        f"there are {needed:,} and more"
    )


def held_out(calibration: Images) -> str:
    """Where the calibration images came from."""
    return (
        f"calibration used {calibration.n} images held out of the data, which the proof does not use; "
        "name others with --calibration"
    )


def same_numbers(a: Artifact, b: Artifact, output: str, agreement: Agreement) -> str:
    """How far two int8 artifacts agree with each other.

    Logits leave on a grid and can be the same to the last bit; probabilities come from a
    float softmax, which no two runtimes round alike.
    """
    same = f"{agreement.same_top1:,} of {agreement.n:,} images"
    if output == "embedding":
        return (
            f"{a.file} and {b.file} agree on the nearest neighbours of {same}, and on "
            f"{100 * agreement.identical / agreement.values:.2f} % of their numbers bit for bit"
        )
    values = (
        f"on {100 * agreement.identical / agreement.values:.2f} % of the output values bit for bit"
        if output == "logits"
        else f"their probabilities differ by at most {agreement.max_abs:.1g}"
    )
    return f"{a.file} and {b.file} agree on the top-1 of {same} and {values}"


def undiagnosed(artifacts: Sequence[Artifact], diagnosed: frozenset[str]) -> list[str]:
    """What a report does not have, and how to get it."""
    rest = [artifact.file for artifact in artifacts if artifact.file not in diagnosed]
    if not rest:
        return []
    which = "" if len(rest) == len(artifacts) else " of the files that did not fail"
    return [
        f"layers{which} were not compared, accuracy losses not split into causes, and int8 sums not checked "
        "for overflow: --thorough does all three, and so does `resnet-edge verify`"
    ]


def integer_weights_on_gpu(artifacts: Sequence[Artifact], parity: Sequence[Parity]) -> list[str]:
    """What is known of TFLite files with integer weights that were run on a GPU, as LiteRT does it.

    benchmarks/gpu_quantized.py shows it. It is to go when LiteRT computes them right.
    """
    on_gpu = {row.artifact for row in parity if "gpu" in row.device}
    integer = (
        a.file in on_gpu and "int" in scheme_of(a.scheme).weights for a in artifacts if a.format == "tflite"
    )
    if not any(integer):
        return []
    return [
        "where weights are int8, LiteRT 2.3 computes a 1x1 convolution with a stride on the GPU as if it had "
        "none, and the shortcuts of most ResNets are such: for GPUs, ship fp16 or fp32"
    ]


def shared_scale(scale: SharedScale | None) -> list[str]:
    """What one scale for all outputs of a dense layer costs int8, and the way out: where it adds more noise
    than all other rounding together, or where answers change beyond chance; nothing elsewhere."""
    if scale is None:
        return []
    lost_db = scale.per_channel_db - scale.per_tensor_db
    most = lost_db > 10 * math.log10(2)
    answers = paired_drop(scale.n, scale.lost, scale.gained)[0] > 0
    if not (most or answers):
        return []
    added = ", more noise than all other rounding adds" if most else ""
    return [
        f"one scale for all outputs of a dense layer costs int8 {lost_db:.1f} dB{added} "
        f"({scale.per_tensor_db:.1f} dB, and {scale.per_channel_db:.1f} with one for each); of "
        f"{scale.n:,} calibration images {scale.lost} get the model's answer only with one for each, and "
        f"{scale.gained} only with the shared one: {PER_CHANNEL}"
    ]


PER_CHANNEL = (
    "--dense-scales per-channel gives each output its own, and the files then need TensorFlow Lite 2.13, "
    "dynamic ones 2.17"
)


def scales_for_each(scales: DenseScales) -> list[str]:
    """What was asked for beside the default, and what it takes."""
    if scales == "per-tensor":
        return []
    return [
        "int8 weights of dense layers have a scale for each output (--dense-scales per-channel): these files "
        "need TensorFlow Lite 2.13, dynamic ones 2.17, and older runtimes refuse them"
    ]


def not_timed(targets: Iterable[tuple[str, str]]) -> list[str]:
    """Which backends with their devices were proved and not timed, and why."""
    return [
        f"no latency: {untimed(backend, device)}"
        for backend, device in dict.fromkeys(targets)
        if is_software(device)
    ]


def float_layers_note(scheme: str, choice: FloatChoice) -> str:
    """Which layers the user left in float."""
    layers = f"{len(choice.float_layers)} {'layer' if len(choice.float_layers) == 1 else 'layers'}"
    return (
        f"{scheme}: {layers} left in float, as --float-layers asks: {100 * choice.int8_macs:.1f} % of the "
        "multiply-accumulates are int8"
    )


def mixed_precision_note(plan: MixedPrecision) -> str:
    """What became of int8 that missed the budget."""
    kept, tried = plan.kept, f"{len(plan.candidates) - 1} tried"
    layers = f"{len(kept.float_layers)} {'layer' if len(kept.float_layers) == 1 else 'layers'} in float"
    share = f"{100 * kept.int8_macs:.1f} % of the multiply-accumulates are int8"
    if plan.met:
        return f"plain {plan.scheme} missed the budget: with {layers} it holds, and {share}"
    if not kept.float_layers:
        return f"the budget cannot be met with {plan.scheme}: no plan was better, and it is as it was"
    return (
        f"the budget cannot be met with {plan.scheme}: the best of {tried} has {layers}, and {share}; "
        "ask for --schemes fp16, or train for int8 (resnet-edge qat)"
    )


def poor_reference(facts: ModelFacts, parity: Sequence[Parity]) -> list[str]:
    """A warning where the Keras model itself is seldom right: then proofs say little.

    Seldom: on fewer than half of the images, or no more often than chance within three
    standard errors, which is more than half where there are two classes.
    """
    measured = next((row for row in parity if row.reference_top1 is not None), None)
    if measured is None or measured.reference_top1 is None or facts.head.kind not in ("classes", "binary"):
        return []  # of labels and neighbours, the verdict tells what is no better than chance
    chance = 1 / facts.classes
    by_luck = chance + 3 * math.sqrt(chance * (1 - chance) / measured.n)
    if measured.reference_top1 > max(POOR, by_luck):
        return []
    return [
        f"the Keras model itself is right on only {100 * measured.reference_top1:.1f} % of these images: is "
        "--preprocess right, and are the labels numbered as the model's outputs are?"
    ]


def assumed_head(facts: ModelFacts, images: Images) -> list[str]:
    """What the outputs are taken for, where nothing at all tells it: no labels, and no names of classes."""
    confirmed = images.labels is not None or images.class_names or facts.class_names
    return [facts.assumed] if facts.assumed and not confirmed else []


def described(images: Images) -> dict[str, Any]:
    """Images, for the report."""
    return {
        "source": images.source,
        "n": images.n,
        "labelled": images.labels is not None,
        "sha256": images.sha256,
    }


def choice(calibrated: Calibration | None, learned: Placed | None) -> dict[str, Any]:
    """How the ranges were chosen, for the report; `learned` counts those that were not calibrated."""
    if calibrated is None:
        return {}
    counts = {"layers": learned.layers, "tensors": learned.tensors} if learned is not None else None
    chosen = asdict(calibrated.chosen)
    tried = [asdict(trial) for trial in calibrated.tried]
    return {
        **chosen,
        "judged": calibrated.judged,
        "tried": tried,
        "skipped": list(calibrated.skipped),
        "learned": counts,
        "shared_scale": None if calibrated.shared_scale is None else asdict(calibrated.shared_scale),
    }
