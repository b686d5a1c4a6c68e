"""What the parent asks about the integers of artifacts, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.int8_risk import Int8Risk
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Executed:
    """None where the runtime does not tell."""

    execution: Execution | None


@dataclass(frozen=True, kw_only=True)
class ReadExecution(
    Task[Executed], runs="resnet_edge.diagnosis.execution:executed", reads=("path", "beside")
):
    """diagnosis.execution: how the artifact `path`, which the report calls `file`, runs at a place; files
    `beside` it hold its weights."""

    file: str
    path: str
    format: str
    backend: str
    device: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overflowed:
    """None where the file multiplies no uint8 by int8."""

    risk: Int8Risk | None


@dataclass(frozen=True, kw_only=True)
class EmulateOverflow(
    Task[Overflowed],
    runs="resnet_edge.diagnosis.overflow_emulation:overflowing",
    reads=(
        "path",
        "images",
        "labels",
    ),
):
    """An .onnx artifact on at most `n` of `images` .npy, fewer where it is large;
    `labels` .npy (N,) or None; `preprocessing` is for one that does not take pixels;
    `head` is the model's."""

    file: str
    path: str
    images: str
    labels: str | None
    n: int
    preprocessing: Preprocessing | None
    head: Head
