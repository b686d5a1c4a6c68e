"""What Ctrl-C, a closed terminal and `kill` do to a command: the same, once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from resnet_edge.core.errors import EXIT_INTERRUPTED, ResnetEdgeError
from resnet_edge.core.interrupts import REMINDER, SIGNALS
from resnet_edge.entry import leave

NOTHING_LEFT = "interrupted; nothing half-written is left"
REMINDED_AFTER = 0.1
"""Seconds."""


class Interrupted(ResnetEdgeError):
    """The user, or the system, wants it to end."""

    exit_code = EXIT_INTERRUPTED


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, the first of SIGNALS raises KeyboardInterrupt, which leaves as Interrupted; further
    ones do nothing: they would hit the cleaning up, which takes less than a second. One that is
    ignored already (nohup) stays ignored. Outside the main thread, where signals do not arrive,
    nothing changes. Behind it, the program itself ignores them: what is left is to tell how it ended.

    What is raised in a `__del__`, in a callback from C or within `except:` of a library is dropped there, and
    the program would go on. So until it has arrived here, a timer looks whether it is still on its way.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched = {number: signal.getsignal(number) for number in (*SIGNALS, REMINDER)}
    watched = {number: before for number, before in watched.items() if before is not signal.SIG_IGN}
    hook = sys.unraisablehook

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number == REMINDER and _on_its_way():
            return
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, REMINDED_AFTER, REMINDED_AFTER)
        raise KeyboardInterrupt

    def tell_others(dropped: sys.UnraisableHookArgs) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            hook(dropped)

    for number in watched:
        signal.signal(number, interrupt)
    sys.unraisablehook = tell_others
    try:
        with _unwrapped():
            yield
    except KeyboardInterrupt as error:
        raise Interrupted(NOTHING_LEFT) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # One that was sent and has not arrived in its thread goes with this: it would end the program.
        signal.signal(REMINDER, signal.SIG_IGN)
        for number, before in watched.items():
            signal.signal(number, signal.SIG_IGN if before is leave else before)
        sys.unraisablehook = hook


@contextmanager
def _unwrapped() -> Iterator[None]:
    """Within, a KeyboardInterrupt is one also where a class is being made: Python 3.11 puts a RuntimeError
    around whatever __set_name__ raises, and 3.12 does not (https://github.com/python/cpython/issues/77757).
    Goes when 3.11 does."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


def _on_its_way() -> bool:
    """Whether a KeyboardInterrupt is being handled, or was when what is being handled was raised."""
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


def nothing_left() -> str:
    """What is said of a run that leaves nothing."""
    return NOTHING_LEFT


@contextmanager
def telling(out: Path, left: Callable[[], str] = nothing_left) -> Iterator[None]:
    """Within, KeyboardInterrupt leaves as Interrupted with what `left` says: something stays behind. Where
    `out` had come to its place already, it is whole, and that is said."""
    before = _identity(out)
    try:
        yield
    except KeyboardInterrupt as error:
        if _identity(out) not in (None, before):
            raise Interrupted(f"interrupted; {out} was written by then, whole, and stays") from error
        raise Interrupted(left()) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Of what is there under that name."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
