"""The program from its first line to its last: signals, closed pipes and closed descriptors."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import resnet_edge
from tests.cli.conversion import heeded

PROBE = str(Path(resnet_edge.__file__).parent / "backends/probe/probe.tflite")
WAYS = {
    "module": ("-m", "resnet_edge"),
    "script": ("-c", "from resnet_edge.entry import main; main()"),  # as pip's script does
}
PROGRAM = [sys.executable, *WAYS["module"]]


def until_it_listens(process: subprocess.Popen[str]) -> None:
    """Wait for the end of Python's own start-up: only the program catches SIGTERM."""
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        if int(caught, 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.0005)


def check_interrupts(way: str, seed: int, times: int) -> None:
    """At random moments of the first half second, once or twice: one line, the document, and 130."""
    moment = random.Random(seed)
    for _ in range(times):
        after, twice = moment.uniform(0, 0.5), moment.random() < 0.5
        with heeded():
            process = subprocess.Popen(
                [sys.executable, *WAYS[way], "doctor", "--json"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        until_it_listens(process)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        if twice:
            time.sleep(moment.uniform(0, 0.05))
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        what = f"seed {seed}, after {after:.4f} s:\n{out}{err}"
        assert process.returncode == 130, what
        assert [line for line in err.splitlines() if "backends" not in line] == [
            "error: interrupted; nothing half-written is left"
        ], what
        assert json.loads(out)["exit_code"] == 130, what


@pytest.mark.parametrize("way", WAYS)
def test_ctrl_c_while_it_starts(way: str) -> None:
    check_interrupts(way, seed=15, times=6)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_times_ctrl_c_while_it_starts(way: str) -> None:
    check_interrupts(way, seed=115, times=100)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["inspect", "--help"], ["inspect", PROBE], ["inspect", PROBE, "--json"]],
)
def test_who_has_read_enough_ends_it_as_every_tool_of_unix(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*PROGRAM, *words], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("file", "code"), [(PROBE, 0), ("/nowhere.tflite", 3)])
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&- 2>&-", "<&- >&-", "2>&-"])
def test_closed_descriptors_change_nothing(file: str, code: int, closed: str) -> None:
    """What is written into them is lost; what is opened later does not become them."""
    line = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", line, "sh", *PROGRAM, "inspect", file, "--json"], capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if ">&-" not in closed.replace("2>&-", ""):
        assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_stderr_changes_no_exit_code() -> None:
    with open("/dev/full", "w") as full:
        run = subprocess.run([sys.executable, "-m", "resnet_edge", "inspect", "nothing.tflite"], stderr=full)
    assert run.returncode == 3
