"""The processor time that a file with a loop may take, watched by the parent of the worker that runs it.

What has no loop ends: its work follows from the sizes that the file declares, and a slow machine, or the
slow kernels of a reference, only take longer for it, so nothing is timed there. How often a loop goes round
may depend on the values in it, and no look at the file can tell that it ends. So a file with one, and no
other, may take so much processor time between two words of its worker, which speaks for every batch of
images. Not time on the clock: a machine that has other things to do, or sleeps, is no fault of the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from resnet_edge.core.errors import UsageError
from resnet_edge.core.machine import family

VARIABLE = "RESNET_EDGE_LOOP_SECONDS"
SECONDS = 3600.0
"""A batch is 64 images at most (evaluation/predict.py), so that each has most of a minute of one core. Who
has a slower network with a loop in it says so; who runs files of strangers says less."""


@dataclass(frozen=True, kw_only=True)
class LoopTime:
    """`file` has a loop, and may take `seconds` of processor time at a time."""

    file: str
    seconds: float


class Announcements:
    """What a worker tells its parent before it opens a file; `send` is set by workers.child."""

    send: Callable[[LoopTime], None] | None = None

    def loop(self, file: str) -> None:
        """This file has a loop. Raises UsageError where the environment says no number of seconds."""
        loop_time = LoopTime(file=file, seconds=longest())
        if self.send is not None:
            self.send(loop_time)


ANNOUNCEMENTS = Announcements()


def longest() -> float:
    """Seconds, as the environment says or SECONDS. Raises UsageError."""
    said = os.environ.get(VARIABLE) or str(SECONDS)
    with suppress(ValueError):
        if 0 < float(said) < float("inf"):
            return float(said)
    raise UsageError(f"{VARIABLE} is {said!r}: give a number of seconds")


class LoopWatch:
    """Of the process `pid` and all that it started, once it has announced a loop."""

    def __init__(self, pid: int) -> None:
        self._pid, self._began = pid, 0.0
        self._loop_time: LoopTime | None = None

    def begin(self, loop_time: LoopTime | None = None) -> None:
        """It said something; `loop_time`: that it opens a file with a loop."""
        self._loop_time = loop_time or self._loop_time
        if self._loop_time is not None:
            self._began = _seconds(self._pid)

    def excess(self) -> str | None:
        """What it was running and for how long, where that is longer than it may."""
        if self._loop_time is None or (used := _seconds(self._pid) - self._began) <= self._loop_time.seconds:
            return None
        return (
            f"{self._loop_time.file} has a loop, and took {used:,.0f} s of processor time without an answer: "
            f"where that loop ends at all, give it more than {self._loop_time.seconds:,g} s with {VARIABLE}"
        )


def _seconds(pid: int) -> float:
    """Of it and its descendants, those that have ended included."""
    import psutil

    total = 0.0
    for each in family(pid):
        with suppress(psutil.Error):
            total += sum(each.cpu_times()[:4])  # user and system, own and of children that ended
    return total
