"""Runs in a worker: the sessions of one backend, which take their turns when the parent says so.

The sessions stay open between calls, and with them what the runtime has set up; the parent
decides on the order of the turns over all backends (stages/bench.py).
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends import Session
from resnet_edge.core import registry
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.bench import Cold
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.progress import Report
from resnet_edge.stages._rounds import Runner, timed, timed_block, warm_up
from resnet_edge.stages.bench_request import Block, BlockRequest, Formats, FormatsRequest, Opened, OpenRequest
from resnet_edge.stages.calls import LatencyTarget
from resnet_edge.stages.predict import load_backend, stored

YARDSTICK = 4000
"""Additions: some 100 microseconds of Python, which no library shares."""

_sessions = ExitStack()
_runners: list[Runner] = []


def formats(request: FormatsRequest, report: Report) -> Formats:
    """What a backend opens. Raises UnknownName, MissingDependency."""
    return Formats(tuple(sorted(registry.load("backends", request.backend).FORMATS)))


def open_session(request: OpenRequest, report: Report) -> Opened:
    """Open an artifact and run it until it is warm; it stays open until the process ends.

    Raises ArtifactError, DeviceUnavailable.
    """
    _stay_on(request.cores)
    session = _sessions.enter_context(_session(request.target, request.threads))
    images = noise(session.input, request.batch)
    _runners.append(Runner(session, images, warm_up(session, images)))
    gc.collect()
    gc.disable()  # for good: this process does nothing but to be timed
    return Opened(len(_runners) - 1, session.device)


def block(request: BlockRequest, report: Report) -> Block:
    """Time one block. Raises ArtifactError where the session breaks."""
    yardstick = min(_yardstick() for _ in range(3))
    times = timed_block(_runners[request.number])
    return Block(tuple(times), yardstick, time.process_time())


def cold(request: OpenRequest, report: Report) -> Cold:
    """Open an artifact and run it once, in a process that has done nothing before.

    Raises ArtifactError, DeviceUnavailable, MissingDependency, UnknownName.
    """
    _stay_on(request.cores)
    target = request.target
    load_backend(target.backend, target.format, target.path)  # importing it is not the artifact's time
    before = _resident()
    began = time.perf_counter_ns()
    with _session(target, request.threads) as session:
        opened = time.perf_counter_ns()
        images = noise(session.input, request.batch)
        (first_ms,) = timed(session, images, 1)
    peak = _peak()
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


def _session(target: LatencyTarget, threads: int) -> AbstractContextManager[Session]:
    backend = load_backend(target.backend, target.format, target.path)
    return backend.open_session(Path(target.path), target.device, threads)


def _yardstick() -> float:
    began = time.perf_counter_ns()
    total = 0
    for number in range(YARDSTICK):
        total += number
    return (time.perf_counter_ns() - began) / 1e6


def _stay_on(cores: tuple[int, ...]) -> None:
    """The same cores for every backend, before its runtime asks how many there are."""
    if cores and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # a container may forbid it: the cores are then what they were
            os.sched_setaffinity(0, cores)


def _resident() -> int | None:
    """Bytes of memory that are in use by this process now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux
        return None
    return pages * resource.getpagesize()


def _peak() -> int | None:
    """The most that it ever used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)
