"""The programs in Python that stand in a bundle, run as an app team would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SELFTEST, CLASSIFY = "selftest/selftest.py", "samples/python/classify.py"


def run(script: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *map(str, words)]
    here = {"cwd": script.parent, "timeout": 180, "env": {**os.environ, **environment}}
    done = subprocess.run(command, capture_output=True, text=True, **here)  # type: ignore[call-overload]
    assert "Traceback" not in done.stderr, done.stderr
    return done  # type: ignore[no-any-return]


def run_with(python: str, *words: object) -> subprocess.CompletedProcess[str]:
    """The same with another Python, and nothing of this one."""
    command = [python, "-I", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)
