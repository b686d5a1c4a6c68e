"""What the parent asks of inspection.inspect_worker."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.results.inspection import Inspection
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class InspectFile(Task[Inspection], runs="resnet_edge.inspection.inspect_worker:inspect", reads=("path",)):
    """A model file and its format."""

    path: str
    format: str
