"""Runs in a worker. How much memory a model takes on a microcontroller."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.micro_arena_task import MeasureArena
from resnet_edge.core import registry
from resnet_edge.core.arena import Arena
from resnet_edge.workers.progress import OnProgress


def measure(request: MeasureArena, on_progress: OnProgress) -> Arena:
    """The arena of a .tflite file. Raises MissingDependency, ArtifactError."""
    arena: Arena = registry.load("backends", request.backend).arena(Path(request.path))
    return arena
