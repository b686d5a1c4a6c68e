"""report.json: the names that users and scripts rely on (contract), and nothing non-finite."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from resnet_edge.core.artifact import Artifact, TensorSpec
from resnet_edge.core.results.changes import Changes
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.mixed_precision import MixedPrecision
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report
from resnet_edge.report.doubted import doubted
from resnet_edge.report.lineage import LineageEntry, entries
from resnet_edge.report.readable_json import readable_json
from resnet_edge.report.summary import verdict

SCHEMA = 1


def encode(report: Report) -> bytes:
    """The report as strict, indented JSON in UTF-8."""
    return readable_json(document(report), indent=2)


def document(report: Report) -> dict[str, Any]:
    """The report under the contract's keys, as JSON values.

    NaN and infinity have no place in JSON: they become null, and a sentence says so, in
    `reasons` of the entry, or in `notes` for anything outside `parity` and `latency`.
    """
    notes = [*doubted(report.doubts), *report.notes]
    body = {
        "schema": SCHEMA,
        "resnet_edge": report.resnet_edge,
        "versions": report.versions,
        "machine": report.machine,
        "model": _model(report),
        "preprocessing": _preprocessing(report),
        "labels": None if report.labels is None else asdict(report.labels),
        "data": report.data,
        "calibration": report.calibration,
        "dense_scales": report.dense_scales,
        "calibration_lint": None if report.calibration_lint is None else asdict(report.calibration_lint),
        "inputs": report.inputs,
        "max_drop_pp": report.max_drop_pp,
        "verdict": asdict(verdict(report)),
        "artifacts": [artifact_entry(artifact) for artifact in report.artifacts],
        "parity": [measured_row(row) for row in report.parity],
        "latency": [measured_row(row) for row in report.latency],
        "plan": None if report.plan is None else _plan(report.plan),
        "explanations": [asdict(explanation) for explanation in report.explanations],
        "execution": [asdict(execution) for execution in report.executions],
        "int8_risk": [asdict(risk) for risk in report.int8_risks],
        "attribution": [asdict(attribution) for attribution in report.attributions],
        "changes": changes_entry(report.changes),
        "error_growth": [asdict(growth) for growth in report.error_growth],
        "history": [_entry(entry) for entry in entries(report)],
        "witness": None if report.witness is None else asdict(report.witness),
        "doubts": [asdict(doubt) for doubt in report.doubts],
        "costs": [asdict(cost) for cost in report.costs],
        "failures": [asdict(failure) for failure in report.failures],
    }
    checked: dict[str, Any] = strict(body, "", notes)
    return {**checked, "notes": strict(notes, "notes", []), "passed": report.passed}


def _model(report: Report) -> dict[str, Any]:
    facts = {key: value for key, value in asdict(report.model).items() if key != "preprocessing"}
    head = {**facts.pop("head"), "outputs": report.model.head.outputs, "rule": report.model.head.rule}
    return {**facts, "classes": report.model.classes, "output": report.model.output, "head": head}


def _preprocessing(report: Report) -> dict[str, Any]:
    how = report.model.preprocessing
    return {**asdict(how), "takes_pixels": how.takes_pixels, "formula": "pixel * scale + offset"}


def artifact_entry(artifact: Artifact) -> dict[str, Any]:
    return {
        "file": artifact.file,
        "format": artifact.format,
        "scheme": artifact.scheme,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        "inputs": [_tensor(tensor) for tensor in artifact.inputs],
        "outputs": [_tensor(tensor) for tensor in artifact.outputs],
        "converter": artifact.converter,
    }


def changes_entry(changes: Changes | None) -> dict[str, Any] | None:
    """Counts and names of images; their pictures are for pages."""
    if changes is None:
        return None
    entry = asdict(changes)
    for image in entry["worst"]:
        del image["picture"]
    return entry


def _tensor(tensor: TensorSpec) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "quantization": asdict(tensor.quantization) if tensor.quantization else None,
    }


def _entry(entry: LineageEntry) -> dict[str, Any]:
    """A model or an artifact at one point of the lineage; what a step made is the entry itself."""
    row, step = entry.artifact, entry.step
    return {
        "title": entry.title,
        "artifact": row.file if row else None,
        "backend": row.backend if row else None,
        "device": row.device if row else None,
        "top1": entry.top1,
        "top1_ci95": entry.top1_ci95,
        "n": entry.n,
        "images": entry.images,
        "measured_on": entry.measured_on,
        "macs": entry.macs,
        "parameters": entry.parameters,
        "size_bytes": entry.size_bytes,
        "gzip_bytes": entry.gzip_bytes,
        "p50_ms": entry.p50_ms,
        "p50_ci95_ms": entry.p50_ci95_ms,
        "step": {key: value for key, value in asdict(step).items() if key != "after"} if step else None,
    }


def _plan(plan: MixedPrecision) -> dict[str, Any]:
    """What was tried when plain int8 missed the budget."""
    candidates = [
        {
            "float_layers": [*candidate.float_layers],
            "int8_macs": candidate.int8_macs,
            "size_bytes": {artifact.file: artifact.size_bytes for artifact in candidate.artifacts},
            "expected_sqnr_db": candidate.expected_sqnr_db,
            "verdict": candidate.verdict,
            "parity": [measured_row(row) for row in candidate.parity],
        }
        for candidate in plan.candidates
    ]
    return {"scheme": plan.scheme, "met": plan.met, "chosen": plan.chosen, "candidates": candidates}


def measured_row(row: Parity | Latency) -> dict[str, Any]:
    entry = asdict(row)
    reasons = [*entry.pop("reasons", ())]
    numbers: dict[str, Any] = strict(entry, "", reasons)
    return {**numbers, "reasons": reasons}


def strict(value: Any, where: str, reasons: list[str]) -> Any:
    """The value with nothing that strict JSON refuses; what was replaced goes to `reasons`."""
    if isinstance(value, float) and not math.isfinite(value):
        reasons.append(f"{where} is null because it is {'not a number' if math.isnan(value) else 'infinite'}")
        return None
    if isinstance(value, str):
        # A file name that is not UTF-8 holds lone surrogates, which JSON cannot carry.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {
            strict(str(k), where, reasons): strict(v, f"{where}.{k}".lstrip("."), reasons)
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [strict(item, f"{where}[{index}]", reasons) for index, item in enumerate(value)]
    return value
