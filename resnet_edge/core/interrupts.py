"""The signals that end a run, put off where half of something would be left."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REMINDER = signal.SIGALRM
"""Comes after one of SIGNALS until what it raised has arrived, see cli._interrupt."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, SIGNALS and REMINDER wait; the first of them comes in the end. For what takes milliseconds."""
    if threading.current_thread() is not threading.main_thread():  # where signals do not arrive
        yield
        return
    came: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {
        number: previous for number in (*SIGNALS, REMINDER) if callable(previous := signal.getsignal(number))
    }
    for number in before:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
