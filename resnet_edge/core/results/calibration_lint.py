"""What is wrong with a set of calibration images (contract: `calibration_lint` of report.json)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]
Kind = Literal["count", "classes", "scale", "channels", "pixels", "ranges", "duplicates", "blank", "leakage"]


@dataclass(frozen=True)
class LintFinding:
    """One thing that is wrong. `sentence` says what, and how to fix it; `figures` is what was measured.

    An error makes the ranges, or the proof, worthless; a warning may cost accuracy; a note is
    what could not be checked, or does no harm that was measured.
    """

    kind: Kind
    severity: Severity
    sentence: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CalibrationLint:
    """What was looked for in `n` images of `source`, beside the `against_n` images of `against` that the
    proof uses, and found. `checked` names every check that was made; `figures` is what they measured,
    whether that was wrong or not."""

    n: int
    source: str
    against_n: int
    against: str
    findings: tuple[LintFinding, ...]
    checked: tuple[Kind, ...]
    figures: dict[str, float] = field(default_factory=dict)

    def of(self, severity: Severity) -> tuple[LintFinding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)
