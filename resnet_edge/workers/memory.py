"""The memory that workers may take, each and all together, watched by their parent.

A limit of address space (RLIMIT_AS) breaks TensorFlow and CUDA, which reserve far more than they use, and
one of data (RLIMIT_DATA) ends C++ libraries in an abort, or in a thread that waits for ever. A control group
would do, and is given only to who administers the machine. So the parent looks how much is resident, more
often the nearer that is to the limit, and ends the worker in time to say why.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from resnet_edge.core.machine import available_memory

LEAST = 1 << 30
"""Bytes that a worker may take on a machine that has less free: TensorFlow alone takes half of it."""
SHARE = 0.95
"""Of what is free when it starts; the rest is for the parent, and for what is taken between two looks."""
FASTEST = 8 << 30
"""Bytes per second: as fast as a few cores fill new pages (4 GB/s with two on the machine of SECURITY.md)."""
LONGEST, SHORTEST = 1.0, 0.02
"""Seconds between two looks. In one second no machine is filled of which much is free."""


class SharedMemory:
    """What all workers of this process may take together, beside what each may: what was free when the last
    of them started, and what the others had then. They are ended only where the machine has nothing left
    indeed (`reserve` bytes, a share of that): what others freed since may be taken, too.

    Of several that take a part each, the largest that is at work is ended: what waits takes nothing."""

    def __init__(self, limit: int | None = None, reserve: int | None = None) -> None:
        self.limit, self._reserve, self._fixed = limit, reserve or 0, limit is not None
        self._watches: list[MemoryWatch] = []
        self._lock = threading.Lock()

    def join(self, watch: MemoryWatch) -> None:
        """One more worker, which has just started."""
        with self._lock:
            self._watches.append(watch)
            free = available_memory()
            if free is not None and not self._fixed:
                most = free + self._used()
                self.limit, self._reserve = max(LEAST, int(SHARE * most)), int((1 - SHARE) * most)

    def leave(self, watch: MemoryWatch) -> None:
        """It has ended."""
        with self._lock, suppress(ValueError):
            self._watches.remove(watch)

    def room(self, asks: MemoryWatch) -> int | None:
        """Bytes that are left to all; None where that is not known, or another is the one to end."""
        with self._lock:
            free = available_memory()
            if self.limit is None or free is None:
                return None
            left = max(self.limit - self._used(), free - self._reserve)
            busy = (each.used for each in self._watches if each.at_work)
            return left if left >= 0 or asks.used >= max(busy, default=0) else None

    def _used(self) -> int:
        for each in self._watches:
            each.used = _own_bytes(each.pid)
        return sum(each.used for each in self._watches)


ALL = SharedMemory()
"""The workers of this process."""


class MemoryWatch:
    """Of the process `pid`, which may take `limit` bytes (None: what is free now; nothing is watched where
    the system does not tell that), and no more than `shared` leaves it. `at_work`: it is in a call."""

    def __init__(self, pid: int, limit: int | None = None, shared: SharedMemory = ALL) -> None:
        free = available_memory()
        self.limit = limit if limit is not None or free is None else max(LEAST, int(SHARE * free))
        self.pid, self.used, self.at_work = pid, 0, False
        self.wait = LONGEST
        """Seconds until the next look."""
        self._due, self._shared = 0.0, shared
        shared.join(self)

    def excess(self) -> str | None:
        """What it has and what it may, where that is less; looks only when it is time to."""
        if (now := time.monotonic()) < self._due:
            return None
        together = self._shared.room(self)
        self.used = _own_bytes(self.pid)
        alone = None if self.limit is None else self.limit - self.used
        least = min((room for room in (alone, together) if room is not None), default=FASTEST)
        self.wait = min(LONGEST, max(SHORTEST, least / FASTEST))
        self._due = now + self.wait / 2
        if alone is not None and alone < 0:
            return f"it had taken {self.used:,} bytes of memory, and may take {self.limit:,}"
        if together is not None and together < 0:
            return (
                f"it had taken {self.used:,} bytes of memory, the most of all workers, which may take "
                f"{self._shared.limit:,} together"
            )
        return None

    def close(self) -> None:
        """The process has ended."""
        self._shared.leave(self)


def _own_bytes(pid: int) -> int:
    """Resident, without what it shares with a file, which the system can drop; 0 where it has ended."""
    import psutil

    with suppress(psutil.Error):
        memory = psutil.Process(pid).memory_info()
        return int(memory.rss - getattr(memory, "shared", 0))
    return 0
