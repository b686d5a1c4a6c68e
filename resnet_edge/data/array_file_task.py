"""What the parent asks of data.array_file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class WriteArrays(
    Task[WrittenFile], runs="resnet_edge.data.array_file:write_data", reads=("data",), writes=("out",)
):
    """The `split` of DATA as a network of `shape` (H, W, C) takes it, with its labels and class names, to
    `out` (.npz): for a machine that has neither the photos nor the data set that a word names."""

    data: str
    split: Literal["train", "test"]
    shape: tuple[int, int, int]
    out: str
