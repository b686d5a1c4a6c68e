"""What the parent asks of data.resized_data, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class ResizedData:
    """The file with the resized images; None where DATA is photos, which are decoded to any size."""

    file: str | None


@dataclass(frozen=True, kw_only=True)
class ResizeData(
    Task[ResizedData], runs="resnet_edge.data.resized_data:resize_data", reads=("data",), writes=("out",)
):
    """data.resized_data: where DATA holds arrays of another height and width than `shape` (H, W, C), the
    `split` of it with the same images in the same order, resized as photos are, with its labels and class
    names, to `out` (.npz)."""

    data: str
    split: Literal["train", "test"]
    shape: tuple[int, int, int]
    out: str
