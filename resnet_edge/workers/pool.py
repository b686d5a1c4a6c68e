"""Runs in the parent. The workers of one run: named, renewed after a failure, all ended at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from resnet_edge.core.errors import OutputError, WorkerFailed
from resnet_edge.core.report import StageCost
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.progress import Report
from resnet_edge.workers.task import Task
from resnet_edge.workers.worker import Worker

T = TypeVar("T")


def _nothing() -> None:
    """What to look at after a failure, where there is nothing."""


class Crew:
    """Use as a context manager: leaving it, however, ends every process of the run.

    `logs` takes a log of each member. `after_failure` is called when a worker has died or could
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
        self._members: list[Member] = []
        self._lock = threading.Lock()
        self._dismissed = False

    def member(self, name: str, report: Report, grant: Grant = NOTHING) -> Member:
        """A worker called `name`, whose progress goes to `report`, and which may do what `grant` says beside
        what all may; its process starts with the first call. A member that joins a crew that was dismissed
        is dismissed."""
        made = Member(
            name,
            self._logs / f"{name.replace(' ', '_')}.log",
            report,
            self._after_failure,
            self._env,
            self._grant | grant,
        )
        with self._lock:
            self._members.append(made)
            if self._dismissed:
                made.dismiss()
        return made

    def costs(self) -> tuple[StageCost, ...]:
        """What each member cost so far."""
        return tuple(
            StageCost(m.name, round(m.seconds, 2), m.peak_bytes, round(m.cpu_seconds, 2))
            for m in self._members
        )

    def dismiss(self) -> None:
        """End every process, now and for good; calls under way raise WorkerFailed."""
        with self._lock:
            self._dismissed = True
            members = [*self._members]
        for member in members:
            member.dismiss()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()


@contextmanager
def crew_and_pool(
    logs: Path,
    threads: int,
    env: Mapping[str, str],
    after_failure: Callable[[], None] = _nothing,
    grant: Grant = NOTHING,
) -> Iterator[tuple[Crew, ThreadPoolExecutor]]:
    """A crew, and threads that wait for it; whatever is raised ends both at once."""
    with Crew(logs, after_failure, env, grant) as crew, ThreadPoolExecutor(threads) as pool:
        try:
            yield crew, pool
        except BaseException:
            # The pool waits for its threads, and they wait for their processes.
            pool.shutdown(wait=False, cancel_futures=True)
            crew.dismiss()
            raise


class Member:
    """One worker of a crew. `seconds` is the time spent in calls; `peak_bytes` the largest
    resident set of any of its processes."""

    def __init__(
        self,
        name: str,
        log: Path,
        report: Report,
        after_failure: Callable[[], None],
        env: Mapping[str, str] | None,
        grant: Grant,
    ) -> None:
        self.name, self.seconds, self.peak_bytes, self._before = name, 0.0, 0, 0.0
        self._log, self._report, self._after_failure, self._env = log, report, after_failure, env
        self._grant = grant
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._dismissed = False

    def run(self, task: Task[T]) -> T:
        """As Worker.run; after WorkerFailed the next task has a fresh process."""
        worker = self._hired()
        began = time.monotonic()
        try:
            return worker.run(task, self._report)
        except (WorkerFailed, OutputError) as error:
            if isinstance(error, WorkerFailed):
                self._part_with(worker)
            if not self._dismissed:
                self._after_failure()
            raise
        finally:
            self.seconds += time.monotonic() - began
            self.peak_bytes = max(self.peak_bytes, worker.peak_bytes)

    def _hired(self) -> Worker:
        # Under the lock: a process that starts while the crew is being dismissed would outlive it.
        with self._lock:
            if self._dismissed:
                raise WorkerFailed(f"{self.name}: the run is over")
            if self._worker is None:
                self._worker = Worker(self.name, self._log, self._env, self._grant)
            return self._worker

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all its processes, as of the last call of each."""
        return self._before + (self._worker.cpu_seconds if self._worker is not None else 0.0)

    def _part_with(self, worker: Worker) -> None:
        with self._lock:
            if self._worker is worker:
                self._worker = None
                self._before += worker.cpu_seconds
        worker.close()

    @property
    def gone(self) -> bool:
        """Whether there is no process: none was needed yet, or it died."""
        return self._worker is None

    def dismiss(self) -> None:
        """End the process, so that its memory is free for others."""
        with self._lock:
            self._dismissed = True
            worker, self._worker = self._worker, None
            self._before += worker.cpu_seconds if worker is not None else 0.0
        if worker is not None:
            worker.close()
