"""What the parent asks of inspection/resize_check.py."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.results.resize_check import ResizeCheck
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class CheckResize(
    Task[ResizeCheck],
    runs="resnet_edge.inspection.resize_check:resize_check",
    reads=(
        "path",
        "data",
    ),
):
    """The model file `path`, in `format`, on `backend`, with the photos in
    `data` (any DATA word) and the resize of the training, by name or JSON file.

    `takes_pixels`: whether the file takes raw pixels, 0 to 255, as its report or metadata says; None where
    nothing says so. `class_names`: the model's, in the order of its outputs; empty where they are not known.
    """

    path: str
    format: str
    backend: str
    data: str
    resize: str = "pillow"
    device: str = "cpu"
    threads: int = 1
    takes_pixels: bool | None = None
    class_names: tuple[str, ...] = ()
