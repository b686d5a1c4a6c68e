"""Runs in a worker. The cores that a process is kept on."""

from __future__ import annotations

import os
from contextlib import suppress


def stay_on(cores: tuple[int, ...]) -> None:
    """The same cores for every backend, before its runtime asks how many there are (empty: leave it)."""
    if cores and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # a container may forbid it: the cores are then what they were
            os.sched_setaffinity(0, cores)
