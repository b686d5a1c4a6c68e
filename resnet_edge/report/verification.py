"""What `verify --json` prints: the rows of report.json, and why artifacts part from the reference."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_edge.core.results.verification import Verification
from resnet_edge.core.sequential import SEED, Looks
from resnet_edge.report.contract import artifact_entry, changes_entry, measured_row, strict
from resnet_edge.report.doubted import doubted
from resnet_edge.report.verify_words import OUTCOMES, verdict

SCHEMA = 1


def verification_document(verification: Verification) -> dict[str, Any]:
    """JSON values; what is not finite becomes null, and a sentence says so, as in report.json."""
    lint = verification.calibration_lint
    word, sentence = verdict(verification)
    notes = [*doubted(verification.doubts), *verification.notes]
    body = {
        "schema": SCHEMA,
        "resnet_edge": verification.resnet_edge,
        "versions": verification.versions,
        "machine": verification.machine,
        "reference": verification.reference,
        "data": verification.data,
        "max_drop_pp": verification.max_drop_pp,
        "verdict": {"word": OUTCOMES[word], "sentence": sentence},
        "sequential": None if verification.sequential is None else _sequential(verification.sequential),
        "artifacts": [
            {**artifact_entry(artifact), "path": artifact.path} for artifact in verification.artifacts
        ],
        "parity": [measured_row(row) for row in verification.parity],
        "explanations": [asdict(explanation) for explanation in verification.explanations],
        "execution": [asdict(execution) for execution in verification.executions],
        "int8_risk": [asdict(risk) for risk in verification.int8_risks],
        "attribution": [asdict(attribution) for attribution in verification.attributions],
        "changes": changes_entry(verification.changes),
        "class_names": [*verification.class_names],
        "calibration_lint": None if lint is None else asdict(lint),
        "witness": None if verification.witness is None else asdict(verification.witness),
        "doubts": [asdict(doubt) for doubt in verification.doubts],
        "costs": [asdict(cost) for cost in verification.costs],
        "failures": [asdict(failure) for failure in verification.failures],
    }
    checked: dict[str, Any] = strict(body, "", notes)
    return {**checked, "notes": strict(notes, "notes", []), "passed": verification.passed}


def _sequential(looks: Looks) -> dict[str, Any]:
    return {"looks": [*looks.at], "confidence": looks.confidence, "seed": SEED}
