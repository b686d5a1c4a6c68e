"""Runs in the parent. What limits the artifacts of a bench: the cores' ceilings, and their own work."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from resnet_edge.benchmarking.files import KERAS
from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.benchmarking.task import CountWork, MeasureCeilings
from resnet_edge.core.errors import ArtifactError, MissingDependency, WorkerFailed
from resnet_edge.core.roofline import Ceilings, Roofline, Work, roofline
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent

CPU = "cpu"


@dataclass(frozen=True)
class Limits:
    """`work` by path; what could not be counted is missing. `ceilings` None: they could not be measured."""

    ceilings: Ceilings | None
    work: dict[str, Work]

    def of(self, target: LatencyTarget, device: str, batch: int, p50_ms: float) -> Roofline | None:
        """How near a row is to its limit; None where that is not known, and on other devices."""
        work = self.work.get(target.path)
        if self.ceilings is None or work is None or device != CPU:
            return None
        return roofline(work, self.ceilings, batch, p50_ms)


def find_limits(
    workers: WorkerPool, targets: Iterable[LatencyTarget], threads: int, cores: tuple[int, ...]
) -> Limits:
    """Measure the ceilings and count the work, before anything is timed.

    Neither is a reason to stop: without the package that reads a format, or on a system that runs no
    code made at run time, rows have no limit.
    """
    measured = None
    worker = workers.worker("ceilings", silent)
    with suppress(WorkerFailed):
        measured = worker.run(MeasureCeilings(threads=threads, cores=cores))
    worker.close()
    works: dict[str, Work] = {}
    counting = workers.worker("work", silent)
    for target in targets:
        if target.format in KERAS.values() or target.path in works:
            continue
        with suppress(ArtifactError, MissingDependency, WorkerFailed):
            works[target.path] = counting.run(CountWork(path=target.path))
    counting.close()
    return Limits(measured, works)
