"""The verdict on one artifact on one backend (contract: report.json, `parity`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class Parity:
    """How an artifact compares with the reference on the same images.

    `top1`, `reference_top1`, `agreement` are fractions; the first two are None on unlabelled
    data, and so are `drop_pp` (percentage points lost; negative: gained) and its paired 95 %
    interval. `max_abs` is the largest difference of an output; `sqnr_db` is measured on
    logits. `samples_needed` tells how many images would decide an inconclusive verdict.
    Each reason is a sentence for people.
    """

    artifact: str
    backend: str
    device: str
    n: int
    top1: float | None
    reference_top1: float | None
    drop_pp: float | None
    drop_ci95_pp: tuple[float, float] | None
    agreement: float | None
    max_abs: float | None
    sqnr_db: float | None
    verdict: Verdict
    reasons: tuple[str, ...]
    lost: int | None = None
    gained: int | None = None
    samples_needed: int | None = None
