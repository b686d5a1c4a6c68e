"""Runs in a worker, on the machine that is timed: its own noise, its own ceilings, its own clock."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.benchmarking.bench import BenchRequest, bench
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.host_task import BenchThere
from resnet_edge.core.results.bench import Bench
from resnet_edge.workers.progress import OnProgress


def run(request: BenchThere, on_progress: OnProgress) -> Bench:
    """Raises as benchmarking.bench does."""
    said = {name: getattr(request, name) for name in BenchRequest.__dataclass_fields__ if name != "files"}
    # Brought along: what nothing here opens may be opened on another machine.
    files = tuple(
        BenchFile(path=Path(file.path), name=file.name, format=file.format, scheme=file.scheme, brought=True)
        for file in request.files
    )
    return bench(BenchRequest(files=files, **said), on_progress)
