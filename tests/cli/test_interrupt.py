"""What a signal does to a command, wherever it hits. Each in a process of its own: libraries that other tests
load have handlers of theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.cli._interrupt import Interrupted, telling
from resnet_edge.core.interrupts import SIGNALS
from tests.cli.conversion import heeded

START = """
import signal, sys, time
from resnet_edge.cli._interrupt import Interrupted, interruptible
from resnet_edge.core.interrupts import SIGNALS

def wait():
    time.sleep(30)
    sys.exit("the signal was lost")
"""
ENDED = """
before = [signal.getsignal(each) for each in SIGNALS]
try:
    with interruptible():
        try:
            signal.raise_signal({number})
            wait()
        finally:
            for each in SIGNALS:
                signal.raise_signal(each)
            print("cleaned up")
except Interrupted as error:
    print(error)
assert [signal.getsignal(each) for each in SIGNALS] == before
"""
DROPPED = """
class HitWhileItEnds:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

try:
    with interruptible():
        HitWhileItEnds()
        wait()
except Interrupted:
    print("not lost")
"""
SWALLOWED = """
def swallow():
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:  # as some libraries do around an import
        pass

try:
    with interruptible():
        swallow()
        swallow()  # the second of the user: ignored
        wait()
except Interrupted:
    print("not lost")
"""
SLOW_END = """
try:
    with interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            try:
                for _ in range(10):
                    time.sleep(0.05)
                raise ValueError
            except ValueError:
                time.sleep(0.3)
            print("cleaned up")
except Interrupted:
    time.sleep(0.3)
    print("ended")
"""
IGNORED = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with interruptible():
    signal.raise_signal(signal.SIGHUP)
    print("went on")
"""
HIT_IN_A_CLASS = """
class Field:
    def __set_name__(self, owner, name):
        signal.raise_signal(signal.SIGINT)

try:
    with interruptible():
        type("Made", (), {"field": Field()})
except Interrupted:
    print("not lost")
"""
ANOTHER_ERROR = """
try:
    with interruptible():
        raise RuntimeError("ours")
except RuntimeError as error:
    print(error)
"""


def said(script: str) -> list[str]:
    """The lines that a script prints, with signals as a terminal has them."""
    with heeded():
        done = subprocess.run(
            [sys.executable, "-c", START + script], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_what_is_interruptible_and_later_ones_leave_the_end_alone(number: int) -> None:
    lines = said(ENDED.format(number=int(number)))
    assert lines == ["cleaned up", "interrupted; nothing half-written is left"]


def test_a_signal_that_hits_where_python_drops_what_is_raised_is_not_lost() -> None:
    assert said(DROPPED) == ["not lost"]


def test_a_signal_that_somebody_else_swallows_is_not_lost() -> None:
    assert said(SWALLOWED) == ["not lost"]


def test_a_long_end_is_not_disturbed() -> None:
    assert said(SLOW_END) == ["cleaned up", "ended"]


def test_what_is_ignored_already_stays_ignored() -> None:
    assert said(IGNORED) == ["went on"]


@pytest.mark.parametrize(
    ("there", "comes", "says"),
    [
        (False, True, "out.keras was written by then, whole, and stays"),
        (True, True, "out.keras was written by then, whole, and stays"),
        (True, False, "nothing half-written is left"),
        (False, False, "nothing half-written is left"),
    ],
)
def test_what_was_whole_by_then_is_told(tmp_path: Path, there: bool, comes: bool, says: str) -> None:
    out, part = tmp_path / "out.keras", tmp_path / "part"
    if there:
        out.write_text("old")
    part.write_text("new")

    def end() -> None:
        with telling(out):
            if comes:
                part.replace(out)
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=says):
        end()


def test_an_interrupt_while_a_class_is_made_is_one() -> None:
    """Python 3.11 makes a RuntimeError of it."""
    assert said(HIT_IN_A_CLASS) == ["not lost"]


def test_another_runtime_error_stays_what_it_is() -> None:
    assert said(ANOTHER_ERROR) == ["ours"]
