"""`resnet-edge verify` on many files at once, and what it said of each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ATTRIBUTED = 50
"""Images on which kernels are held against the file as it is written: enough for the largest difference."""
AT_ONCE = 40
"""Files of one call: the reference is run once for all of them."""
RAN = (0, 4, 5)
"""Exit codes of a command that could do what it was asked for."""


@dataclass(frozen=True)
class Said:
    """The worst verdict of a file (`fail`, `inconclusive`, `pass`), or `error`; `certain`: a finding that
    contradicts the reference; `layer`, `cause` and `sentence` of the first such finding, or of the first."""

    verdict: str
    certain: bool
    layer: str
    cause: str
    why: str
    sentence: str = ""

    @property
    def caught(self) -> bool:
        """Whether a user is told that something is wrong."""
        return self.certain or self.verdict in ("fail", "error")


def verify(
    files: Sequence[Path], model: Path, data: Path, drop: str = "0.5", further: Sequence[str] = ()
) -> dict[Path, Said]:
    """What the command says of files of one model, which may lose `drop` percentage points; `further`
    options go with each call."""
    words = ["--reference", str(model), "--data", str(data), "--max-drop", drop]
    words += ["--attribute", str(ATTRIBUTED), *further]
    verdicts: dict[Path, Said] = {}
    for start in range(0, len(files), AT_ONCE):
        verdicts |= _verified(files[start : start + AT_ONCE], words)
    return verdicts


def _verified(files: Sequence[Path], words: Sequence[str]) -> dict[Path, Said]:
    """Of all in one call; where one of them ends it without a document, in two."""
    code, document = _document(files, words)
    if "parity" in document:
        return {file: _said(file, document, code) for file in files}
    if len(files) == 1:
        return {
            files[0]: Said(
                verdict="error",
                certain=False,
                layer="",
                cause="",
                why=str(document.get("error", f"exit code {code}")),
            )
        }
    half = len(files) // 2
    return _verified(files[:half], words) | _verified(files[half:], words)


def _document(files: Sequence[Path], words: Sequence[str]) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "resnet_edge", "verify", *map(str, files), *words, "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        document = {"error": f"no document: {done.stderr.strip()[-300:]}"}
    return done.returncode, document


def _of(file: Path, failure: dict[str, Any]) -> bool:
    """Whether a failure names the file: seeded files have the names of good ones at their end."""
    return re.search(rf"(?<![\w.-]){re.escape(file.name)}", str(failure)) is not None


def _said(file: Path, document: dict[str, Any], code: int) -> Said:
    """Rows speak of a file by its name or its path; the names of all files here differ."""
    rows = [row for row in document["parity"] if Path(row["artifact"]).name == file.name]
    explanations = [
        one for one in document.get("explanations", ()) if Path(one["artifact"]).name == file.name
    ]
    findings = sorted((f for one in explanations for f in one["findings"]), key=lambda f: not f["certain"])
    first = findings[0] if findings else {}
    where = {"layer": first.get("layer", ""), "cause": first.get("cause", "")}
    worst = min(rows, key=lambda row: ("fail", "inconclusive", "pass").index(row["verdict"]), default=None)
    if worst is None:
        why = next((f["message"] for f in document["failures"] if _of(file, f)), "no row of it")
        return Said(verdict="error", certain=False, **where, why=why, sentence=first.get("sentence", ""))
    certain = bool(first.get("certain"))
    verdict = worst["verdict"]
    if code not in RAN and any(_of(file, failure) for failure in document.get("failures", ())):
        verdict = "error"
    return Said(
        verdict=verdict,
        certain=certain,
        **where,
        why=(*worst["reasons"], "")[0],
        sentence=first.get("sentence", ""),
    )
