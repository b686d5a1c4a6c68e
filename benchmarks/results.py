"""What benchmarks measured: JSON files in benchmarks/results/, which the tables of docs are made of.

    python -m benchmarks.tables

A file holds `benchmark`, `command` (with DIR for folders of whoever ran it), `date`, `commit`, `machine` and
`versions`, and `result`, whose keys are the benchmark's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from resnet_edge.core.machine import machine, versions

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks" / "results"


def keep(benchmark: str, result: dict[str, Any], name: str = "") -> Path:
    """Write what was measured, in place of what an earlier run has left under this `name` (that of the
    benchmark, if none is given)."""
    return write(name or benchmark, document(benchmark, result))


def write(name: str, document: dict[str, Any]) -> Path:
    """The document of a benchmark, in place of the one that is there."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    print(f"kept in {path.relative_to(ROOT)}: python -m benchmarks.tables", file=sys.stderr)
    return path


def document(benchmark: str, result: dict[str, Any]) -> dict[str, Any]:
    """What was measured, with what it is of."""
    return {
        "benchmark": benchmark,
        "command": command(benchmark, sys.argv[1:]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "machine": machine(),
        "versions": versions(),
        "result": result,
    }


def read(name: str) -> dict[str, Any]:
    """The document of a benchmark."""
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return document


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Rows of cells as Markdown: the first `words` columns are words, the others numbers."""
    rule = ["---" if index < words else "---:" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def command(name: str, arguments: list[str]) -> str:
    """As others can repeat it: absolute paths are somebody's own."""
    words = ("DIR" if Path(word).is_absolute() else word for word in arguments)
    return " ".join(("python -m", f"benchmarks.{name}", *words))


def processor(document: dict[str, Any]) -> str:
    """Of the machine, for the line above a table."""
    machine = document["machine"]
    flags = ", ".join(flag for flag in machine["int8_flags"] if "vnni" in flag or "amx" in flag) or "no VNNI"
    return f"{machine['usable_cores']} cores of {machine['cpu']} ({flags})"


def _commit() -> str:
    """Of what ran; with + where files differ from it. A tree that was copied without its history has none."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=7", "--exclude=*"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "an unknown commit"
