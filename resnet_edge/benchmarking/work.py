"""Runs in a worker. What an artifact has to do in one inference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.roofline import Work
from resnet_edge.workers.progress import Report


@dataclass(frozen=True)
class WorkRequest:
    """An artifact."""

    path: str


def work(request: WorkRequest, report: Report) -> Work:
    """Count it. Raises ArtifactError, MissingDependency."""
    from resnet_edge.graph.work import work_of

    return work_of(Path(request.path))
