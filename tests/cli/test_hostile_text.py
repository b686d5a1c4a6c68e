"""Text out of files on a real terminal: nothing of it moves the cursor, sets a title or turns the writing."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.report import benches

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eab\u2066\r[bold]x"
OURS = re.compile(r"\x1b\[[0-9;]*[mKA-H]|\x1b\[\?25[lh]|\x1b\[\d*[AK]")
"""What rich writes itself: colours, the erasing of a line, the way up, the cursor off and on."""


def on_a_terminal(*words: str, cwd: Path) -> str:
    """What a terminal gets of stdout and stderr of a command."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    got = b""
    while True:
        try:
            block = os.read(ours, 1 << 16)
        except OSError:  # its end, on Linux
            break
        if not block:
            break
        got += block
    os.close(ours)
    process.wait()
    return got.decode("utf-8", "surrogateescape")


def check(shown: str) -> None:
    """No character that is not ours moves anything."""
    text = OURS.sub("", shown.replace("\r\n", "\n"))
    text = re.sub(r"\r(?!\[bold\])", "", text)  # rich goes back to the start of a bar
    wrong = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not wrong, (wrong, shown)


def spoilt(value: Any) -> Any:
    """Every text that no closed list holds, with EVIL in it."""
    if isinstance(value, dict):
        return {key: each if key in CLOSED else spoilt(each) for key, each in value.items()}
    if isinstance(value, list):
        return [spoilt(each) for each in value]
    return f"{value}{EVIL}" if isinstance(value, str) else value


CLOSED = {"verdict", "bound", "kind", "accuracy", "sha256"}
"""What is one of a few words, or read with other documents."""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A stored run of `bench`, spoilt wherever it can be."""
    path = tmp_path / "spoilt.json"
    bench = replace(benches.troubled(), rows=benches.ordinary().rows)  # the others have lone surrogates
    path.write_text(json.dumps(spoilt(json.loads(msgspec.json.encode(bench)))))
    return path


@pytest.mark.parametrize("more", [(), ("--json",), ("--compare",)], ids=["table", "json", "compare"])
def test_a_stored_bench(document: Path, more: tuple[str, ...]) -> None:
    words = ["--from", document.name, *more]
    if more == ("--compare",):
        words = ["--compare", document.name, document.name]
    shown = on_a_terminal(sys.executable, "-m", "resnet_edge", "bench", *words, cwd=document.parent)
    check(shown)
    assert "\\u001b]0;title" in shown or "\\x1b]0;ti" in shown


@pytest.mark.parametrize("command", [("inspect",), ("bench",), ("verify", "--golden", "x"), ("package",)])
@pytest.mark.slow
def test_an_error_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    name = EVIL.replace("/", "") + ".tflite"
    (tmp_path / name).write_bytes(b"TFL3 no model")
    shown = on_a_terminal(sys.executable, "-m", "resnet_edge", *command, name, cwd=tmp_path)
    check(shown)
    assert "error: " in shown
    assert "Traceback" not in shown


def test_an_unknown_option(tmp_path: Path) -> None:
    check(on_a_terminal(sys.executable, "-m", "resnet_edge", "convert", f"--{EVIL}", cwd=tmp_path))
    check(on_a_terminal(sys.executable, "-m", "resnet_edge", EVIL, cwd=tmp_path))


BARS = """
import sys
import time
from resnet_edge.cli.terminal import progress
from resnet_edge.workers.progress import Progress
evil = sys.argv[1]
with progress(False) as report:
    report(Progress(step=evil, done=1, total=3, note=evil))
    report(Progress(step="other", note=evil))
    report(Progress(step="line", note=evil, line=True))
    time.sleep(0.3)
"""


def test_progress(tmp_path: Path) -> None:
    check(on_a_terminal(sys.executable, "-c", BARS, EVIL, cwd=tmp_path))
    done = subprocess.run([sys.executable, "-c", BARS, EVIL], capture_output=True, text=True, check=True)
    check(done.stderr)
    assert "\\x1b]0;title" in done.stderr
