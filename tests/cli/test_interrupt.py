"""What a signal does to a command, wherever it hits."""

from __future__ import annotations

import signal
import time

import pytest

from resnet_edge.cli._interrupt import SIGNALS, Interrupted, interruptible
from tests.cli.conversion import heeded


class HitWhileItEnds:
    """Python drops what is raised in its `__del__`."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def drop_and_wait() -> None:
    HitWhileItEnds()
    wait()


def wait() -> None:
    time.sleep(10)
    raise AssertionError("the signal was lost")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_what_is_interruptible_and_later_ones_leave_the_end_alone(number: int) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    ended = []

    def run() -> None:
        try:
            signal.raise_signal(number)
            wait()
        finally:
            for each in SIGNALS:
                signal.raise_signal(each)
            ended.append("cleaned up")

    with heeded(), pytest.raises(Interrupted), interruptible():
        run()
    assert ended == ["cleaned up"]
    assert [signal.getsignal(each) for each in SIGNALS] == before


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_hits_where_python_drops_what_is_raised_is_not_lost() -> None:
    with heeded(), pytest.raises(Interrupted), interruptible():
        drop_and_wait()


def test_what_is_ignored_already_stays_ignored() -> None:
    with heeded():
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.signal(signal.SIGHUP, before)
