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
from resnet_edge.core.interrupts import SIGNALS
from resnet_edge.entry import leave

NOTHING_LEFT = "interrupted; nothing half-written is left"


class Interrupted(ResnetEdgeError):
    """The user, or the system, wants it to end."""

    exit_code = EXIT_INTERRUPTED


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, the first of SIGNALS raises KeyboardInterrupt, which leaves as Interrupted; further
    ones do nothing: they would hit the cleaning up, which takes less than a second. One that is
    ignored already (nohup) stays ignored. Outside the main thread, where signals do not arrive,
    nothing changes. Behind it, the program itself ignores them: what is left is to tell how it ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched = {number: signal.getsignal(number) for number in SIGNALS}
    watched = {number: before for number, before in watched.items() if before is not signal.SIG_IGN}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in watched:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    def listen() -> None:
        for number in watched:
            signal.signal(number, interrupt)

    listen()
    try:
        with _none_lost(listen):
            yield
    except KeyboardInterrupt as error:
        raise Interrupted(NOTHING_LEFT) from error
    finally:
        for number, before in watched.items():
            signal.signal(number, signal.SIG_IGN if before is leave else before)


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
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _none_lost(listen: Callable[[], None]) -> Iterator[None]:
    """Within, a KeyboardInterrupt that was raised inside a `__del__` or another callback, where Python
    drops whatever is raised, is raised once more a moment later, after `listen`."""
    before = sys.unraisablehook

    def again(dropped: sys.UnraisableHookArgs) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            before(dropped)
            return
        listen()
        main = threading.main_thread().ident
        threading.Timer(0.01, signal.pthread_kill, (main, SIGNALS[0])).start()

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = before
