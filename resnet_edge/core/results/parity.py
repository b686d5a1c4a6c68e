"""The verdict on one artifact on one backend (contract: report.json, `parity`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class ClassDrop:
    """What one class loses: of its `n` images the reference alone is right on `lost`, the artifact alone on
    `gained`. `p_adjusted` is how likely as much is by chance, with all classes looked at."""

    label: int
    n: int
    lost: int
    gained: int
    drop_pp: float
    p_adjusted: float


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How an artifact compares with the reference on the same images.

    `top1`, `reference_top1`, `agreement` are fractions; the first two are None on unlabelled
    data, and so are `drop_pp` (percentage points lost; negative: gained) and its paired 95 %
    interval. `max_abs` is the largest difference of an output; `sqnr_db` is measured on
    logits. `agreement_ci95` is the interval of the agreement; `worst_class` the class that loses most beyond
    chance, None where none loses, and on unlabelled data. `samples_needed` tells how many images would
    decide an inconclusive verdict. Each reason is a sentence for people."""

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
    agreement_ci95: tuple[float, float] | None = None
    worst_class: ClassDrop | None = None
