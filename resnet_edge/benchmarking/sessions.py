"""Runs in a worker: the sessions of one backend, which take their turns when the parent says so.

The sessions stay open between calls, and with them what the runtime has set up; the parent
decides on the order of the turns over all backends (benchmarking/bench.py).
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from resnet_edge.backends import Session
from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.benchmarking.rounds import Runner, check_timed, timed, timed_block, warm_up
from resnet_edge.benchmarking.task import (
    Block,
    ListOffers,
    Offers,
    Opened,
    OpenSession,
    TimeBlock,
    TimeColdStart,
)
from resnet_edge.core import registry
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.machine import family
from resnet_edge.core.results.bench import Cold
from resnet_edge.evaluation.predict import load_backend, stored
from resnet_edge.workers.cores import stay_on
from resnet_edge.workers.progress import OnProgress

YARDSTICK = 4000
"""Additions: some 100 microseconds of Python, which no library shares."""

_sessions = ExitStack()
_runners: list[Runner] = []


def offers(request: ListOffers, on_progress: OnProgress) -> Offers:
    """What a backend opens. Raises UnknownName, MissingDependency."""
    backend = registry.load("backends", request.backend)
    parity_only = getattr(backend, "FOR_PARITY_ONLY", False)
    formats, devices = tuple(sorted(backend.FORMATS)), tuple(sorted(backend.DEVICES))
    return Offers(formats, devices, parity_only, hasattr(backend, "profile"))


def open_session(task: OpenSession, on_progress: OnProgress) -> Opened:
    """Open an artifact and run it until it is warm; it stays open until the process ends.

    Raises ArtifactError, DeviceUnavailable.
    """
    stay_on(task.opening.cores)
    session = _sessions.enter_context(_session(task.opening.target, task.opening.threads))
    images = noise(session.input, task.opening.batch)
    calls = warm_up(session, images)
    _runners.append(Runner(session, images, task.opening.calls or calls))
    gc.collect()
    gc.disable()  # for good: this process does nothing but to be timed
    return Opened(len(_runners) - 1, session.device, _runners[-1].block)


def block(request: TimeBlock, on_progress: OnProgress) -> Block:
    """Time one block. Raises ArtifactError where the session breaks."""
    yardstick = min(_yardstick() for _ in range(3))
    runner = _runners[request.number]
    times = timed_block(runner)
    used = _family_seconds() if _is_elsewhere(runner.session) else time.process_time()
    return Block(tuple(times), yardstick, used)


def cold(task: TimeColdStart, on_progress: OnProgress) -> Cold:
    """Open an artifact and run it once, in a process that has done nothing before.

    Raises ArtifactError, DeviceUnavailable, MissingDependency, UnknownName.
    """
    stay_on(task.opening.cores)
    target = task.opening.target
    # Importing and starting it is not the artifact's time.
    backend: Any = load_backend(target.backend, target.format, target.path)
    if hasattr(backend, "start"):
        backend.start()
    before = _resident()
    began = time.perf_counter_ns()
    with _session(target, task.opening.threads) as session:
        opened = time.perf_counter_ns()
        images = noise(session.input, task.opening.batch)
        (first_ms,) = timed(session, images, 1)
        peak = None if _is_elsewhere(session) else _peak()
    grown = None if before is None or peak is None else max(0, peak - before)
    return Cold((opened - began) / 1e6, first_ms, grown)


def noise(spec: TensorSpec, batch: int) -> NDArray[np.generic]:
    """Seeded pixels, as the input stores them. Raises ArtifactError where it takes another batch."""
    size = spec.shape[0]
    if size not in (None, batch):
        raise ArtifactError(
            f"it takes {size} image{'s' * (size != 1)} at a time, and not {batch}: "
            "give --batch that, or convert with --dynamic-batch"
        )
    shape = (batch, *(side or 1 for side in spec.shape[1:]))
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return stored(pixels if spec.dtype == "uint8" else pixels.astype(np.float32), spec)


@contextmanager
def _session(target: LatencyTarget, threads: int) -> Iterator[Session]:
    backend = load_backend(target.backend, target.format, target.path)
    with backend.open_session(Path(target.path), target.device, threads) as session:
        check_timed(session, target.backend)
        yield session


def _is_elsewhere(session: Session) -> bool:
    """Whether its runtime is in another process, which then has a clock of its own."""
    return hasattr(session, "timed")


def _family_seconds() -> float:
    """Processor seconds of this process and of all that it started, directly or not, and that run."""
    total = time.process_time()  # finer than what the system tells of others
    for process in family(os.getpid())[1:]:
        with suppress(psutil.Error):  # it has ended
            total += sum(process.cpu_times()[:2])
    return total


def _yardstick() -> float:
    began = time.perf_counter_ns()
    total = 0
    for number in range(YARDSTICK):
        total += number
    return (time.perf_counter_ns() - began) / 1e6


def _resident() -> int | None:
    """Bytes of memory that are in use by this process now."""
    with suppress(psutil.Error, OSError):
        return int(psutil.Process().memory_info().rss)
    return None


def _peak() -> int | None:
    """The most that it ever used. psutil tells it on Windows alone."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)
