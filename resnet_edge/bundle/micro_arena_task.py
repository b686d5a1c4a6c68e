"""What the parent asks of bundle.micro_arena."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.arena import Arena
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class MeasureArena(Task[Arena], runs="resnet_edge.bundle.micro_arena:measure", reads=("path",)):
    """A .tflite file, and a backend that tells its arena."""

    path: str
    backend: str
