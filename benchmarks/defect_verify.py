"""`resnet-edge verify` on many files at once, and what it said of each."""

from __future__ import annotations

import json
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


@dataclass(frozen=True)
class Said:
    """The worst verdict of a file (`fail`, `inconclusive`, `pass`), or `error`; `certain`: a finding that
    contradicts the reference; `layer` and `cause` of the first finding."""

    verdict: str
    certain: bool
    layer: str
    cause: str
    why: str

    @property
    def caught(self) -> bool:
        """Whether a user is told that something is wrong."""
        return self.certain or self.verdict in ("fail", "error")


def verify(files: Sequence[Path], model: Path, data: Path, drop: str = "0.5") -> dict[Path, Said]:
    """What the command says of files of one model, which may lose `drop` percentage points."""
    found: dict[Path, Said] = {}
    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        document = _document(some, model, data, drop)
        found |= {file: _said(file, document) for file in some}
    return found


def _document(files: Sequence[Path], model: Path, data: Path, drop: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "resnet_edge", "verify", *map(str, files)]
    command += ["--reference", str(model), "--data", str(data), "--json", "--quiet"]
    command += ["--max-drop", drop, "--attribute", str(ATTRIBUTED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"verify gave no document: {done.stderr.strip() or done.returncode}") from None
    return document


def _said(file: Path, document: dict[str, Any]) -> Said:
    """Rows speak of a file by its name or its path; the names of all files here differ."""
    rows = [row for row in document["parity"] if Path(row["artifact"]).name == file.name]
    told = [one for one in document.get("explanations", ()) if Path(one["artifact"]).name == file.name]
    findings = [finding for one in told for finding in one["findings"]]
    first = findings[0] if findings else {"layer": "", "cause": ""}
    worst = min(rows, key=lambda row: ("fail", "inconclusive", "pass").index(row["verdict"]), default=None)
    if worst is None:
        why = next((f["message"] for f in document["failures"] if file.name in str(f)), "no row of it")
        return Said("error", False, first["layer"], first["cause"], why)
    certain = any(finding["certain"] for finding in findings)
    return Said(worst["verdict"], certain, first["layer"], first["cause"], (*worst["reasons"], "")[0])
