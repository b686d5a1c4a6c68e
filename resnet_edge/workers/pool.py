"""Runs in the parent. The workers of one run: named, renewed after a failure, all ended at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from resnet_edge.core.errors import ClusterUnavailable, HostUnavailable, OutputError, WorkerFailed
from resnet_edge.core.results.report import StageCost
from resnet_edge.hosts.address import Host
from resnet_edge.workers.cluster.connection import ClusterConnection
from resnet_edge.workers.cluster.process import ClusterProcess
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.hosts.process import HostProcess
from resnet_edge.workers.process import WorkerProcess
from resnet_edge.workers.progress import OnProgress
from resnet_edge.workers.task import Task

T = TypeVar("T")
AnyProcess = WorkerProcess | HostProcess | ClusterProcess


@dataclass(frozen=True, kw_only=True)
class OnCluster:
    """A place on a cluster: a task gets `cpus` of one of its machines; `alone`: and a process of its own."""

    connection: ClusterConnection
    cpus: int = 1
    alone: bool = False


Where = str | OnCluster
"""A machine: the name of a host, or a cluster, which finds one itself; empty for this one."""
HERE: Where = ""
_AWAY = (HostUnavailable, ClusterUnavailable)


def _nothing() -> None:
    """What to look at after a failure, where there is nothing."""


class WorkerPool:
    """Use as a context manager: leaving it, however, ends every process of the run.

    `logs` takes a log of each worker. `after_failure` is called when a process has died or could
    not write, and may raise what explains it better (which disk is full). `env` is
    added to the environment of all, and `grant` is what all may do.
    """

    def __init__(
        self,
        logs: Path,
        after_failure: Callable[[], None] = _nothing,
        env: Mapping[str, str] | None = None,
        grant: Grant = NOTHING,
    ) -> None:
        self._logs, self._env, self._grant = logs, env, grant
        self._after_failure = after_failure
        self._all: list[Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def worker(
        self,
        name: str,
        on_progress: OnProgress,
        grant: Grant = NOTHING,
        where: Where = HERE,
        env: Mapping[str, str] | None = None,
    ) -> Worker:
        """A worker called `name`, whose progress goes to `on_progress`, and which has `env` and may do what
        `grant` says beside what all have and may; its process starts with the first call, `where` that is
        said. A worker that is asked of a pool that was closed is closed."""
        worker = Worker(
            name,
            self._logs / f"{name.replace(' ', '_')}.log",
            on_progress,
            self._after_failure,
            {**(self._env or {}), **(env or {})},
            self._grant | grant,
            where,
        )
        with self._lock:
            self._all.append(worker)
            if self._closed:
                worker.close()
        return worker

    def costs(self) -> tuple[StageCost, ...]:
        """What each worker cost so far."""
        return tuple(
            StageCost(m.name, round(m.seconds, 2), m.peak_bytes, round(m.cpu_seconds, 2)) for m in self._all
        )

    def close(self) -> None:
        """End every process, now and for good; calls under way raise WorkerFailed."""
        with self._lock:
            self._closed = True
            workers = [*self._all]
        for worker in workers:
            worker.close()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def workers_and_threads(
    logs: Path,
    threads: int,
    env: Mapping[str, str],
    after_failure: Callable[[], None] = _nothing,
    grant: Grant = NOTHING,
) -> Iterator[tuple[WorkerPool, ThreadPoolExecutor]]:
    """Workers, and threads that wait for them; whatever is raised ends both at once."""
    with WorkerPool(logs, after_failure, env, grant) as workers, ThreadPoolExecutor(threads) as pool:
        try:
            yield workers, pool
        except BaseException:
            # The pool waits for its threads, and they wait for their processes.
            pool.shutdown(wait=False, cancel_futures=True)
            workers.close()
            raise


class Worker:
    """One worker of a pool. `seconds` is the time spent in calls; `peak_bytes` the largest
    resident set of any of its processes."""

    def __init__(
        self,
        name: str,
        log: Path,
        on_progress: OnProgress,
        after_failure: Callable[[], None],
        env: Mapping[str, str] | None,
        grant: Grant,
        where: Where = HERE,
    ) -> None:
        self.name, self.seconds, self.peak_bytes, self._before = name, 0.0, 0, 0.0
        self._log, self._on_progress, self._after_failure, self._env = log, on_progress, after_failure, env
        self._grant, self._where = grant, where
        self._process: AnyProcess | None = None
        self._lock = threading.Lock()
        self._closed = False

    def run(self, task: Task[T]) -> T:
        """As WorkerProcess.run; after WorkerFailed the next task has a fresh process."""
        process = self._started()
        began = time.monotonic()
        try:
            return process.run(task, self._on_progress)
        except (WorkerFailed, *_AWAY, OutputError) as error:
            if not isinstance(error, OutputError):
                self._part_with(process)
            if not self._closed and not isinstance(error, _AWAY):
                self._after_failure()
            raise
        finally:
            self.seconds += time.monotonic() - began
            self.peak_bytes = max(self.peak_bytes, process.peak_bytes)

    def _started(self) -> AnyProcess:
        # Under the lock: a process that starts while the pool is being closed would outlive it.
        with self._lock:
            if self._closed:
                raise WorkerFailed(f"{self.name}: the run is over")
            if self._process is None:
                self._process = self._new()
            return self._process

    def _new(self) -> AnyProcess:
        where = self._where
        if isinstance(where, OnCluster):
            return ClusterProcess(
                *(self.name, self._log, where.connection, self._grant, self._env, where.cpus),
                alone=where.alone,
            )
        if where:
            return HostProcess(self.name, self._log, Host.parse(where), self._grant)
        return WorkerProcess(self.name, self._log, self._env, self._grant)

    @property
    def node(self) -> str:
        """The machine of a cluster that did the last task; empty where no cluster did it."""
        process = self._process
        return process.node if isinstance(process, ClusterProcess) else ""

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all its processes, as of the last call of each."""
        return self._before + (self._process.cpu_seconds if self._process is not None else 0.0)

    def _part_with(self, process: AnyProcess) -> None:
        with self._lock:
            if self._process is process:
                self._process = None
                self._before += process.cpu_seconds
        process.close()

    @property
    def gone(self) -> bool:
        """Whether there is no process: none was needed yet, or it died."""
        return self._process is None

    def close(self) -> None:
        """End the process, so that its memory is free for others."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
            self._before += process.cpu_seconds if process is not None else 0.0
        if process is not None:
            process.close()
