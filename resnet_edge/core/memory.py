"""The memory that a worker may take, watched by its parent.

A limit of address space (RLIMIT_AS) breaks TensorFlow and CUDA, which reserve far more than they use, and
one of data (RLIMIT_DATA) ends C++ libraries in an abort, or in a thread that waits for ever. A control group
would do, and is given only to who administers the machine. So the parent looks how much is resident, more
often the nearer that is to the limit, and ends the worker in time to say why.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from resnet_edge.core.machine import available_memory

LEAST = 1 << 30
"""Bytes that a worker may take on a machine that has less free: TensorFlow alone takes half of it."""
SHARE = 0.95
"""Of what is free when it starts; the rest is for the parent, and for what is taken between two looks."""
FASTEST = 8 << 30
"""Bytes per second: as fast as a few cores fill new pages (4 GB/s with two on the machine of SECURITY.md)."""
LONGEST, SHORTEST = 1.0, 0.02
"""Seconds between two looks. In one second no machine is filled of which much is free."""


class MemoryWatch:
    """Of the process `pid`, which may take `limit` bytes (None: what is free now; nothing is watched where
    the system does not tell that)."""

    def __init__(self, pid: int, limit: int | None = None) -> None:
        free = available_memory()
        self.limit = limit if limit is not None or free is None else max(LEAST, int(SHARE * free))
        self._pid, self._due = pid, 0.0
        self.wait = LONGEST
        """Seconds until the next look."""

    def excess(self) -> int | None:
        """The bytes that it has, where they are more than it may; looks only when it is time to."""
        if self.limit is None or (now := time.monotonic()) < self._due:
            return None
        used = _own_bytes(self._pid)
        self.wait = min(LONGEST, max(SHORTEST, (self.limit - used) / FASTEST))
        self._due = now + self.wait / 2
        return used if used > self.limit else None


def _own_bytes(pid: int) -> int:
    """Resident, without what it shares with a file, which the system can drop; 0 where it has ended."""
    with suppress(psutil.Error):
        found = psutil.Process(pid).memory_info()
        return int(found.rss - getattr(found, "shared", 0))
    return 0
