"""What the parent asks of evaluation.compare, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import Parity
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Compared:
    """The verdict; `by_rounding`: the outputs are those of the reference but for what the float type of the
    file rounds, and nothing that is read in the file can tell against it."""

    parity: Parity
    by_rounding: bool


@dataclass(frozen=True, kw_only=True)
class CompareOutputs(
    Task[Compared],
    runs="resnet_edge.evaluation.compare:compare",
    reads=(
        "reference",
        "candidate",
        "labels",
        "path",
    ),
):
    """Outputs to compare: .npy files (N, head.outputs) float32, dequantized, and what they must meet.

    `reference` and `candidate` belong to the same images in the same order; `labels` is an
    .npy of integers (N,), or None. `max_drop_pp` is in percentage points. `path` and `format` are of the file
    itself, whose weights tell what a float16 type rounds; without them nothing is known of that.
    `accept_reference`: a reference that is right by chance alone is as it should be. `looks`: how often the
    verdict is asked for at most (core/sequential.py): all intervals together are of 95 %; `early`: it will be
    asked for again. `class_names` (none: their numbers) are for what the verdict says.
    """

    artifact: str
    backend: str
    device: str
    scheme: str
    head: Head
    reference: str
    candidate: str
    labels: str | None
    max_drop_pp: float
    min_sqnr_db: float | None
    path: str = ""
    format: str = ""
    accept_reference: bool = False
    looks: int = 1
    early: bool = False
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """`same_top1` of `n` images; `identical` of `values` output values, bit for bit."""

    n: int
    same_top1: int
    values: int
    identical: int
    max_abs: float


@dataclass(frozen=True, kw_only=True)
class CountAgreement(
    Task[Agreement],
    runs="resnet_edge.evaluation.compare:agree",
    reads=(
        "a",
        "b",
    ),
):
    """Outputs of two artifacts on the same images, as in CompareOutputs."""

    head: Head
    a: str
    b: str
