"""Runs in a worker, on the machine that is timed: its own noise, its own ceilings, its own clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_edge.benchmarking.bench import bench
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.host_task import BenchThere, IdentifyMachine, MachineIdentity
from resnet_edge.core.machine import boot_id
from resnet_edge.core.results.bench import Bench
from resnet_edge.workers.progress import OnProgress


def identify(task: IdentifyMachine, on_progress: OnProgress) -> MachineIdentity:
    """What tells it from other machines."""
    return MachineIdentity(boot=boot_id())


def run(task: BenchThere, on_progress: OnProgress) -> Bench:
    """Raises as benchmarking.bench does."""
    # Brought along: what nothing here opens may be opened on another machine.
    files = tuple(
        BenchFile(path=Path(file.path), name=file.name, format=file.format, scheme=file.scheme, brought=True)
        for file in task.files
    )
    return bench(replace(task.request, files=files), on_progress)
