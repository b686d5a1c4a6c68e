"""Our files on other engines."""

from __future__ import annotations

from typing import Any

from benchmarks.results import markdown_table


def table(result: dict[str, Any]) -> str:
    """One that did not run tells why."""
    header = ("file, engine", "same answer", "largest difference", "CPU ms", "of ONNX Runtime fp32")
    return markdown_table(header, (_cells(row) for row in result["rows"]))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if row["error"]:
        return row["name"], row["error"].replace("|", "/"), "", "", ""
    low, high = row["ratio_ci95"]
    ratio = f"{row['ratio']:.2f} ({low:.2f} to {high:.2f})"
    return row["name"], f"{row['same']:.1%}", f"{row['off']:.1e}", f"{row['cpu_ms']:.2f}", ratio
