"""Runs in the parent. The workers of one run: named, renewed after a failure, all ended at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from resnet_edge.core.errors import WorkerFailed
from resnet_edge.core.progress import Report, silent
from resnet_edge.core.report import StageCost
from resnet_edge.core.worker import Worker

T = TypeVar("T")


class Crew:
    """Use as a context manager: leaving it, however, ends every process of the run."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._members: list[Member] = []
        self._lock = threading.Lock()

    def member(self, name: str, env: Mapping[str, str] | None = None) -> Member:
        """A worker called `name`; its process starts with the first call."""
        with self._lock:
            made = Member(name, self._logs / f"{name.replace(' ', '_')}.log", env)
            self._members.append(made)
        return made

    def costs(self) -> tuple[StageCost, ...]:
        """What each member cost so far."""
        return tuple(StageCost(m.name, round(m.seconds, 2), m.peak_bytes) for m in self._members)

    def dismiss(self) -> None:
        """End every process."""
        for member in self._members:
            member.dismiss()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.dismiss()


class Member:
    """One worker of a crew. `seconds` is the time spent in calls."""

    def __init__(self, name: str, log: Path, env: Mapping[str, str] | None) -> None:
        self.name, self.seconds, self.peak_bytes = name, 0.0, 0
        self._log, self._env = log, env
        self._worker: Worker | None = None
        self._dismissed = False

    def call(self, function: str, request: Any, reply: type[T], report: Report = silent) -> T:
        """As Worker.call; after WorkerFailed the next call has a fresh process."""
        if self._dismissed:
            raise WorkerFailed(f"{self.name}: the run is over")
        worker = self._worker = self._worker or Worker(self.name, self._log, self._env)
        began = time.monotonic()
        try:
            return worker.call(function, request, reply, report)
        except WorkerFailed:
            self._worker = None
            worker.close()
            raise
        finally:
            self.seconds += time.monotonic() - began
            self.peak_bytes = max(self.peak_bytes, worker.peak_bytes)

    def dismiss(self) -> None:
        """End the process, so that its memory is free for others."""
        self._dismissed = True
        if self._worker is not None:
            self._worker.close()
