"""What was tried when plain int8 missed the budget (contract: report.json, `plan`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.parity import Parity, Verdict

GRAVITY: tuple[Verdict, ...] = ("pass", "inconclusive", "fail")


@dataclass(frozen=True, kw_only=True)
class FloatCandidate:
    """The artifacts of one scheme with some layers in float, and how they were judged.

    `float_layers` are named by their outputs in the TFLite graph; `int8_macs` is the share of
    multiply-accumulates that is left in int8 (0 to 1); `expected_sqnr_db` what the calibration
    images foretold of the logits, in dB.
    """

    float_layers: tuple[str, ...]
    int8_macs: float
    expected_sqnr_db: float
    artifacts: tuple[Artifact, ...]
    parity: tuple[Parity, ...]

    @property
    def verdict(self) -> Verdict:
        """The gravest of all its artifacts on all backends; no proof is no pass."""
        return gravest(row.verdict for row in self.parity)

    @property
    def sqnr_db(self) -> float | None:
        """The lowest that was measured; None where an output was not fit to be measured."""
        ratios = [row.sqnr_db for row in self.parity]
        known = [value for value in ratios if value is not None]
        return min(known) if known and len(known) == len(ratios) else None


@dataclass(frozen=True)
class MixedPrecision:
    """The candidates, by how many layers they have in float: plain int8 first. `chosen` is the
    place of the one that was kept."""

    scheme: str
    candidates: tuple[FloatCandidate, ...]
    chosen: int

    @property
    def kept(self) -> FloatCandidate:
        """The candidate whose artifacts the user gets."""
        return self.candidates[self.chosen]

    @property
    def met(self) -> bool:
        """Whether it meets the budget."""
        return self.kept.verdict == "pass"


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of some verdicts; `fail` where there is none."""
    return max(verdicts, key=GRAVITY.index, default="fail")
