"""What the parent asks of the worker that brings outputs of two files to one kind, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.head import Head
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Aligned:
    """What both are now, and where; `through`: which of the two was put through a softmax, or a sigmoid where
    the head is binary."""

    head: Head
    reference: str
    candidate: str
    through: Literal["", "reference", "candidate"]


@dataclass(frozen=True, kw_only=True)
class AlignOutputs(
    Task[Aligned],
    runs="resnet_edge.evaluation.outputs:align",
    reads=(
        "reference",
        "candidate",
    ),
    writes=("out",),
):
    """evaluation.outputs: outputs of a reference, of `head`, and of a candidate (.npy), to compare as
    one kind. Whether either are logits or probabilities is told by their values."""

    head: Head
    reference: str
    candidate: str
    out: str
