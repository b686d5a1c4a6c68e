"""Runs in the parent. What other processes do to the machine meanwhile."""

from __future__ import annotations

import time

from resnet_edge.core.machine import busy_seconds


class MachineLoad:
    """How many cores others keep busy while turns are taken (not while intervals are computed)."""

    def __init__(self) -> None:
        self._seconds = self._others = 0.0
        self._known = True
        self._start: tuple[float, float | None, float] = (0.0, None, 0.0)

    def begins(self, own: float) -> None:
        """`own`: processor seconds of all processes of the run up to now."""
        self._start = (time.monotonic(), busy_seconds(), own)

    def ends(self, own: float) -> None:
        began, busy, before = self._start
        now = busy_seconds()
        if busy is None or now is None:
            self._known = False
            return
        self._seconds += time.monotonic() - began
        self._others += (now - busy) - (own - before)

    @property
    def others(self) -> float | None:
        """Cores, on average; None where the system does not tell."""
        return max(0.0, self._others) / self._seconds if self._known and self._seconds else None
