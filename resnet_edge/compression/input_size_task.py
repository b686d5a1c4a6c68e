"""What the parent asks of compression.input_size."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.models import ModelRequest
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class RebuildModel(
    Task[WrittenFile],
    runs="resnet_edge.compression.input_size:rebuild_model",
    reads=("model.source",),
    writes=("out",),
):
    """compression.input_size: the same network with the same weights for images of `shape` (H, W, C), to
    `out` (.keras), with its sidecar. `command` is how it was asked for."""

    model: ModelRequest
    shape: tuple[int, int, int]
    out: str
    command: str = ""
