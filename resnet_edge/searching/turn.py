"""Runs in the parent. Whose turn it is on this machine.

Trials that are under way at once are threads. One of them at a time works here, so that none has to know of
another; who waits for a cluster, or for what another makes, leaves its turn to the others.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from resnet_edge.core.errors import WorkerFailed


class Turn:
    """Of all threads of one search."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._whose: int | None = None
        self._working = threading.Condition()
        self._elsewhere = 0
        self._slots: set[int] = set()
        self._busy = 0
        self._over = threading.Event()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Within, it is this thread's; waits for it."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def left(self, *, works_here: bool = False) -> Iterator[None]:
        """Within, others have their turn; who has none has none to leave. `works_here`: what goes on
        meanwhile may load this machine all the same (`alone`)."""
        mine = self._whose == threading.get_ident()
        self._count(works_here)
        if mine:
            self._leave()
        try:
            yield
        finally:
            self._count(-works_here)
            if mine:
                self._take()

    def alone(self) -> None:
        """Wait, without leaving the turn, until nothing of the search loads this machine: as long as the turn
        is kept, nothing begins to."""
        with self._working:
            self._working.wait_for(lambda: not self._elsewhere)

    def expect(self, count: int) -> None:
        """So many threads will take part (`slot`), each until it ends."""
        with self._working:
            self._busy = count

    @contextmanager
    def slot(self) -> Iterator[None]:
        """One of those that are expected, with its turn."""
        own = threading.get_ident()
        with self._working:
            self._slots.add(own)
        try:
            with self.taken():
                yield
        finally:
            self._idles(1)
            with self._working:
                self._slots.discard(own)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """As `left`, for who waits until another is done."""
        with self.left(), self._idle():
            yield

    @contextmanager
    def training(self, *, works_here: bool, in_step: bool) -> Iterator[None]:
        """As `left`, for long. `in_step`: trials want to be `alone` before they train, and then could not for
        long. So what may load this machine begins only when all others begin, too, have begun, or wait.
        Raises WorkerFailed once the search is over."""
        with self._idle():
            while in_step and works_here and self._busy > 0:
                self.pause(0)
                with self.left(), self._working:
                    self._working.wait_for(lambda: self.over or self._busy <= 0)
        with self.left(works_here=works_here), self._idle():
            yield

    def end(self) -> None:
        """The search is over: whoever waits has an error."""
        with self._working:
            self._over.set()
            self._working.notify_all()

    @property
    def over(self) -> bool:
        """Whether it was ended."""
        return self._over.is_set()

    def pause(self, seconds: float) -> None:
        """Raises WorkerFailed once the search is over."""
        if self._over.wait(seconds):
            raise WorkerFailed("the search is over")

    def _take(self) -> None:
        self._lock.acquire()
        self._whose = threading.get_ident()

    def _leave(self) -> None:
        self._whose = None
        self._lock.release()

    def _count(self, more: int) -> None:
        with self._working:
            self._elsewhere += more
            self._working.notify_all()

    @contextmanager
    def _idle(self) -> Iterator[None]:
        self._idles(1)
        try:
            yield
        finally:
            self._idles(-1)

    def _idles(self, more: int) -> None:
        """Of a slot."""
        with self._working:
            if threading.get_ident() in self._slots:
                self._busy -= more
                self._working.notify_all()
