"""Tests of core.interrupts, in a process of its own: libraries of other tests have handlers of theirs."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.conversion import heeded

SCRIPT = """
import signal, threading
from resnet_edge.core.interrupts import SIGNALS, uninterrupted

def interrupt(number, frame):
    raise KeyboardInterrupt(number)

for each in SIGNALS[:2]:
    signal.signal(each, interrupt)
signal.signal(SIGNALS[2], signal.SIG_IGN)
try:
    with uninterrupted():
        for each in SIGNALS:
            signal.raise_signal(each)
        print("whole")
    print("lost")
except KeyboardInterrupt as error:
    print("then", signal.Signals(error.args[0]).name)
assert [signal.getsignal(each) for each in SIGNALS] == [interrupt, interrupt, signal.SIG_IGN]
with uninterrupted():
    pass

def elsewhere():
    with uninterrupted():
        print("no signals here")

thread = threading.Thread(target=elsewhere)
thread.start()
thread.join()
"""


def test_a_signal_waits_until_all_is_whole_and_is_not_lost() -> None:
    with heeded():
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["whole", "then SIGINT", "no signals here"]
