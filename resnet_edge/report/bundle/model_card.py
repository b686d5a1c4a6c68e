"""MODEL_CARD.md and model_card.json: what is known of a model, for those who decide whether to ship it.

The headings are those of M. Mitchell et al., "Model Cards for Model Reporting", arXiv:1810.03993. Figures
come from report.json and from the images of the bundle's proof; what nobody said is named as not said.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_edge.core.backend_name import split_host
from resnet_edge.core.image_contract import ImageContract
from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.bundle import Bundle, ClassCount
from resnet_edge.report.image_words import words
from resnet_edge.report.markdown import code, escaped
from resnet_edge.report.words import percent, quantity

SCHEMA = 1
NOT_SAID = "not said"


def model_card(
    bundle: Bundle, report: dict[str, Any], command: str, intended_use: str, license: str
) -> dict[str, Any]:
    """The card as JSON values. `report` is what report.json holds; texts of the user may be empty."""
    sources = {file.source for file in bundle.facts.files}
    machine = report["machine"]
    hosts = {**machine.get("hosts", {}), **bundle.hosts}
    return {
        "schema": SCHEMA,
        "model": report["model"],
        "license": license or None,
        "intended_use": intended_use or None,
        "proved": not bundle.unproved,
        "unproved": list(bundle.unproved),
        "data": report["data"],
        "calibration": report["calibration"],
        "preprocessing": {"graph": report["preprocessing"], "app": asdict(bundle.facts.image)},
        "accuracy": [row for row in report["parity"] if row["artifact"] in sources],
        "classes": [_counted(count) for count in bundle.classes if count.n],
        "classes_without_images": sum(not count.n for count in bundle.classes),
        "latency": [
            *(row for row in report["latency"] if row["artifact"] in sources),
            *map(asdict, bundle.latency),
        ],
        "machine": {**machine, "hosts": hosts} if hosts else machine,
        "history": [entry for entry in report["history"] if entry.get("artifact") is None],
        "versions": report["versions"],
        "files": {file.path: file.sha256 for file in bundle.facts.files},
        "commands": [report["machine"].get("command", ""), command],
    }


def _counted(count: ClassCount) -> dict[str, Any]:
    ends = wilson(count.right, count.n)
    return {**asdict(count), "recall": count.right / count.n, "recall_ci95": ends}


def card_markdown(card: dict[str, Any]) -> str:
    """The card for people."""
    model = card["model"]
    sections = [
        [f"# {escaped(model['name'])}: model card"],
        [
            "## Intended use",
            escaped(card["intended_use"] or f"Use: {NOT_SAID} (--intended-use)."),
            *_unproved(card),
        ],
        ["## Model", *_model(card)],
        ["## Data", *_data(card)],
        ["## What the app must feed", *_feeding(card)],
        ["## Accuracy", *_accuracy(card)],
        ["## Class by class", *_classes(card)],
        ["## Latency", *_latency(card)],
        ["## What was done to it", *_history(card)],
        ["## Limits", *_limits(card)],
        ["## Files", *(f"- {code(path)}: {code(digest)}" for path, digest in card["files"].items())],
        ["## Made by", *(f"- {code(line)}" for line in card["commands"] if line)],
    ]
    return "\n\n".join("\n".join([part[0], "", *part[1:]]).strip() for part in sections) + "\n"


def _unproved(card: dict[str, Any]) -> list[str]:
    return ["", f"**Not proved:** {escaped('; '.join(card['unproved']))}."] if card["unproved"] else []


def _model(card: dict[str, Any]) -> list[str]:
    model = card["model"]
    return [
        f"- from {code(model['source'])}, SHA-256 {code(str(model['sha256']))}",
        f"- {quantity(model['parameters'])} parameters, {quantity(model['macs'])} multiply-accumulates",
        f"- gives {escaped(model['output'])} for {model['classes']:,} classes; the answer is "
        f"{escaped(model['head']['rule'])}",
        f"- licence: {escaped(card['license'] or f'{NOT_SAID} (--license)')}",
    ]


def _data(card: dict[str, Any]) -> list[str]:
    rows = [("proved on", card["data"])]
    if card["calibration"] is not None:
        rows.append(("int8 calibrated on", card["calibration"]))
    return [
        f"- {what}: {escaped(data['source'])}, {data['n']:,} images, SHA-256 {code(str(data['sha256']))}"
        for what, data in rows
    ]


def _feeding(card: dict[str, Any]) -> list[str]:
    return [*words(ImageContract(**card["preprocessing"]["app"]))]


def _accuracy(card: dict[str, Any]) -> list[str]:
    lines = [
        "| artifact | runtime | images | top-1 | drop against the model, pp [95 %] | verdict |",
        "| --- | --- | ---: | ---: | --- | --- |",
    ]
    for row in card["accuracy"]:
        drop = "unlabelled images: agreement alone"
        if row["drop_pp"] is not None and row["drop_ci95_pp"] is not None:
            low, high = row["drop_ci95_pp"]
            drop = f"{row['drop_pp']:.2f} [{low:.2f}, {high:.2f}]"
        lines.append(
            f"| {code(row['artifact'])} | {_place(row)} | {row['n']:,} | "
            f"{percent(row['top1'], row['n'])} | {drop} | {escaped(row['verdict'])} |"
        )
    return lines


def _classes(card: dict[str, Any]) -> list[str]:
    if not card["classes"]:
        return ["The images of the bundle's proof have no labels."]
    lines = [
        "Of the images of the bundle's proof, by the artifact behind its first file:",
        "",
        "| class | images | right | recall [95 %] |",
        "| --- | ---: | ---: | --- |",
    ]
    for row in card["classes"]:
        low, high = row["recall_ci95"]
        recall = f"{100 * row['recall']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
        lines.append(f"| {escaped(row['label'])} | {row['n']:,} | {row['right']:,} | {recall} |")
    without = card["classes_without_images"]
    return [*lines, "", f"No image is of one of the other {without:,} classes."] if without else lines


def _latency(card: dict[str, Any]) -> list[str]:
    if not card["latency"]:
        return ["It was not measured."]
    by_host: dict[str, list[dict[str, Any]]] = {}
    for row in card["latency"]:
        by_host.setdefault(split_host(row["backend"])[1], []).append(row)
    hosts = card["machine"].get("hosts", {})
    lines: list[str] = []
    for host, rows in by_host.items():
        machine = hosts.get(host) if host else card["machine"]
        where = "a machine of which nothing more is known" if machine is None else machine_words(machine)
        lines += [
            *([""] if lines else []),
            f"One image, on {f'{code(host)}, ' if host else ''}{escaped(where)}, which is no phone:",
            "",
            "| artifact | runtime | threads | p50 | p90 |",
            "| --- | --- | ---: | ---: | ---: |",
            *(
                f"| {code(row['artifact'])} | {_place(row)} | {row['threads']} | "
                f"{row['p50_ms']:.3g} ms | {row['p90_ms']:.3g} ms |"
                for row in rows
            ),
        ]
    return lines


def machine_words(machine: dict[str, Any]) -> str:
    """Its processor and its cores, with the architecture where the processor's name is not that."""
    architecture = machine.get("architecture", "")
    kind = f", {architecture}" if architecture and architecture != machine["cpu"] else ""
    return f"{machine['cpu']} ({machine['usable_cores']} cores{kind})"


def _history(card: dict[str, Any]) -> list[str]:
    lines = [
        f"- {escaped(entry['title'])}: top-1 {percent(entry['top1'], entry['n'] or 0)}, "
        f"{code(entry['step']['command'])}"
        for entry in card["history"]
        if entry.get("step")
    ]
    calibration = card["calibration"]
    if calibration is not None and "calibrator" in calibration:
        repairs = ", ".join(calibration.get("repairs") or ()) or "none"
        lines.append(f"- int8 ranges by {escaped(calibration['calibrator'])}; repairs: {escaped(repairs)}")
    return lines or ["Nothing is known."]


def _place(row: dict[str, Any]) -> str:
    return escaped(f"{row['backend']} {row['device']}")


def _limits(card: dict[str, Any]) -> list[str]:
    return [
        "- It always names one of its classes, also for an image of none of them.",
        "- The accuracy holds for images like those it was proved on; nothing is known of others.",
        "- Photos that are resized in another way get other answers (`resnet-edge inspect --data`).",
        "- The latency of a phone was not measured, and no GPU or NPU was run (ACCELERATORS.md).",
    ]
