"""A command in a process of its own, with an end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gpu.libraries import library_path

VARIABLE = "LD_LIBRARY_PATH"
GRACE = 10.0
"""Seconds for a command to end its workers after Ctrl-C, before it is killed; workers then end themselves."""
DONE = frozenset({0, 4, 5})
"""Exit codes of a command that ran: proved, failed its proof, or too few images."""


@dataclass(frozen=True, kw_only=True)
class Called:
    """How a command ended. `why`: a line where it did not run to its end."""

    exit_code: int | None
    seconds: float
    document: dict[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def ran(self) -> bool:
        """Whether there are figures to read: also those of a command that did part of what it was to do."""
        return (self.exit_code in DONE and bool(self.document)) or any(
            self.document.get(key) for key in ("parity", "rows")
        )


def call(
    words: Sequence[str], limit_seconds: float, log: Path, environment: Mapping[str, str] | None = None
) -> Called:
    """Run `python -m WORDS` and read the JSON document that it prints. It is interrupted, as by Ctrl-C, after
    so many seconds, and killed where that does not help; what it writes to stderr is in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sink,
            encoding="utf-8",
            env={**os.environ, **libraries(), **(environment or {})},
            start_new_session=True,
        )
        stdout, late = _ended(process, limit_seconds)
    seconds = round(time.monotonic() - began, 1)
    document = _document(stdout)
    if late:
        return Called(
            exit_code=None, seconds=seconds, document=document, why=f"no end within {limit_seconds:.0f} s"
        )
    code = process.returncode
    why = "" if code in DONE and document else str(document.get("error") or _last_words(code, log))
    return Called(exit_code=code, seconds=seconds, document=document, why=why)


def libraries() -> dict[str, str]:
    """The variable, where there is something to say."""
    path = library_path(sys.path, os.environ.get(VARIABLE, ""))
    return {VARIABLE: path} if path else {}


def _ended(process: subprocess.Popen[str], limit_seconds: float) -> tuple[str, bool]:
    """What it printed, and whether it had to be ended."""
    try:
        return process.communicate(timeout=limit_seconds)[0], False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=GRACE)[0], True
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0], True


def _document(stdout: str) -> dict[str, Any]:
    """All of it, or the last line, where a library has printed before it; {} where it ended before it had
    one."""
    for text in (stdout, *stdout.strip().splitlines()[-1:]):
        with suppress(ValueError):
            document = json.loads(text)
            if isinstance(document, dict):
                return document
    return {}


def _last_words(code: int, log: Path) -> str:
    """Of a command that printed no error, as one that a signal ended."""
    if code == 0:
        return "it printed no document"
    ended = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return f"{ended}: {lines[-1][:300]}" if lines else ended
