"""What stands in a file, as `inspect` asks it."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.results.inspection import Inspection
from resnet_edge.inspection.inspect_task import InspectFile
from resnet_edge.inspection.inspect_worker import inspect
from resnet_edge.workers.progress import silent


def inspected(path: Path) -> Inspection:
    return inspect(InspectFile(path=str(path), format=path.suffix[1:]), silent)


def precisions(inspection: Inspection) -> dict[str, tuple[str, int]]:
    return {each.op: (each.precision, each.macs) for each in inspection.ops or ()}
