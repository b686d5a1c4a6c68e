"""What is wrong with the calibration images, in words."""

from __future__ import annotations

from resnet_edge.core.results.calibration_lint import CalibrationLint, Kind, Severity
from resnet_edge.report import words

_CHECKS: dict[Kind, str] = {
    "count": "their number",
    "classes": "their classes",
    "scale": "raw or normalized pixels",
    "channels": "the order of the channels",
    "pixels": "the spread of the pixels",
    "ranges": "activation ranges",
    "duplicates": "repeated images",
    "blank": "blank images",
    "leakage": "images of the proof among them",
}


def lint_lines(lint: CalibrationLint | None) -> list[tuple[Severity, str]]:
    """Each finding as a word for how bad it is and a sentence, the worst first."""
    return [] if lint is None else [(finding.severity, f"{finding.sentence}.") for finding in lint.findings]


def lint_summary(lint: CalibrationLint | None) -> str:
    """What was looked for, and how much of it was found; empty where nothing was."""
    if lint is None:
        return ""
    checks = ", ".join(text for kind, text in _CHECKS.items() if kind in lint.checked)
    sample = f"{words.count(lint.n, 'image')} of {lint.source}, beside the {lint.against_n:,} of the proof"
    clean = "" if lint.findings else " Nothing is wrong with them."
    return f"Checked in {sample}: {checks}.{clean}{_outside(lint)}"


def _outside(lint: CalibrationLint) -> str:
    share, n = lint.figures.get("outside"), lint.figures.get("watched")
    if share is None or not n:
        return ""
    return (
        f" On {words.count(int(n), 'image')} of the proof, no tensor had more than {100 * share:.2g} % of "
        "its values outside of the calibrated range."
    )
