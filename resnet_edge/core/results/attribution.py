"""Which step on the way from the model to an artifact's answers loses how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.tolerances import Tolerance

Cause = Literal["pruning", "preprocessing", "conversion", "quantization", "kernels", "all"]

MEANING: dict[Cause, str] = {
    "pruning": "the model before pruning, beside the model",
    "preprocessing": "the model on the pixels as the artifact's input stores them",
    "conversion": "the float graph that the model becomes, or the file itself where nothing in it is rounded",
    "quantization": "the file as it is written, operation by operation",
    "kernels": "the file as the backend runs it, fused and by its own kernels",
    "all": "from the first to the last",
}
"""What each step ends in; it begins where the step before it ended."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """One step. `drop_pp` is the accuracy that it loses, in percentage points, with its paired 95 % interval
    (None without labels); `changed` is the share of images whose answer it changes, with its interval.
    `sqnr_db` is measured on logits, between the ends of the step (None: it ends in probabilities)."""

    cause: Cause
    drop_pp: float | None
    drop_ci95_pp: tuple[float, float] | None
    changed: float
    changed_ci95: tuple[float, float]
    sqnr_db: float | None


@dataclass(frozen=True)
class KernelCheck:
    """What kernels add, `measured` in the unit of the `tolerance`, and what they are `allowed`."""

    tolerance: Tolerance
    measured: float
    allowed: float
    within: bool


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Of one artifact at one place, on `n` images. The drops of `shares` sum up to that of `whole`;
    `kernels` tells whether the last step is within its tolerance, and `remarks` say what could not be told
    apart."""

    artifact: str
    backend: str
    device: str
    n: int
    shares: tuple[Share, ...]
    whole: Share
    kernels: KernelCheck
    remarks: tuple[str, ...] = ()
