"""What the parent asks of stages.compare, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CompareRequest:
    """Outputs to compare: .npy files (N, classes) float32, dequantized, and what they must meet.

    `reference` and `candidate` belong to the same images in the same order; `labels` is an
    .npy of integers (N,), or None. `max_drop_pp` is in percentage points. `accept_reference`: a
    reference that is right by chance alone is as it should be.
    """

    artifact: str
    backend: str
    device: str
    scheme: str
    output: Literal["logits", "probabilities"]
    reference: str
    candidate: str
    labels: str | None
    max_drop_pp: float
    min_sqnr_db: float
    accept_reference: bool = False


@dataclass(frozen=True)
class AgreementRequest:
    """Outputs of two artifacts on the same images, as in CompareRequest."""

    a: str
    b: str


@dataclass(frozen=True)
class Agreement:
    """`same_top1` of `n` images; `identical` of `values` output values, bit for bit."""

    n: int
    same_top1: int
    values: int
    identical: int
    max_abs: float
