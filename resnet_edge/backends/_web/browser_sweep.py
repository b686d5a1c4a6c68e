"""Removes what a browser leaves behind, when the process that started it is gone.

Workers end by SIGKILL (workers/process.py) and can tidy nothing. This runs beside them as a process of its
own session, on the standard library alone, and waits for the end of its stdin, which comes however they
ended. Chromium, whose pipe ends with them too, leaves by itself within about a second; if not, it is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

PATIENCE_SECONDS = 5.0
TRIES = 20


def start(folder: str) -> subprocess.Popen[bytes]:
    """The process. Write Chromium's id to its stdin once there is one; close it to be swept."""
    command = [sys.executable, "-I", "-S", __file__, folder]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _main(folder: str) -> None:
    groups = [int(line) for line in sys.stdin]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(_lives(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for _ in range(TRIES):  # a process that is just being killed may still write
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            break
        time.sleep(0.1)


def _lives(group: int) -> bool:
    """Whether a process of the group is left; Playwright makes Chromium the leader of its own."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    _main(sys.argv[1])
