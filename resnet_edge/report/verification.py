"""What `verify --json` prints: the rows of report.json, and why artifacts part from the reference."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_edge.core.results.verification import Verification
from resnet_edge.core.sequential import SEED, Looks
from resnet_edge.report.contract import artifact_entry, measured_row, strict
from resnet_edge.report.doubted import doubted

SCHEMA = 1


def verification_document(found: Verification) -> dict[str, Any]:
    """JSON values; what is not finite becomes null, and a sentence says so, as in report.json."""
    notes = [*doubted(found.doubts), *found.notes]
    body = {
        "schema": SCHEMA,
        "resnet_edge": found.resnet_edge,
        "versions": found.versions,
        "machine": found.machine,
        "reference": found.reference,
        "data": found.data,
        "max_drop_pp": found.max_drop_pp,
        "sequential": None if found.sequential is None else _sequential(found.sequential),
        "artifacts": [{**artifact_entry(artifact), "path": artifact.path} for artifact in found.artifacts],
        "parity": [measured_row(row) for row in found.parity],
        "explanations": [asdict(explanation) for explanation in found.explanations],
        "execution": [asdict(execution) for execution in found.executions],
        "int8_risk": [asdict(risk) for risk in found.int8_risks],
        "attribution": [asdict(attribution) for attribution in found.attributions],
        "calibration_lint": None if found.calibration_lint is None else asdict(found.calibration_lint),
        "witness": None if found.witness is None else asdict(found.witness),
        "doubts": [asdict(doubt) for doubt in found.doubts],
        "costs": [asdict(cost) for cost in found.costs],
        "failures": [asdict(failure) for failure in found.failures],
    }
    checked: dict[str, Any] = strict(body, "", notes)
    return {**checked, "notes": strict(notes, "notes", []), "passed": found.passed}


def _sequential(looks: Looks) -> dict[str, Any]:
    return {"looks": [*looks.at], "confidence": looks.confidence, "seed": SEED}
