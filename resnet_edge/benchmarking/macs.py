"""Runs in a worker. What an artifact has to do in one inference."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.benchmarking.task import CountWork
from resnet_edge.core.roofline import Work
from resnet_edge.workers.progress import OnProgress


def work(request: CountWork, on_progress: OnProgress) -> Work:
    """Count it. Raises ArtifactError, MissingDependency."""
    from resnet_edge.graph.macs import work_of

    return work_of(Path(request.path))
