"""What peers.py prints: Markdown of its rows, and how its targets stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.contenders import LITERT, ORT, PLAIN
from resnet_edge.core import statistics

Row = dict[str, Any]
COLUMNS: tuple[str, ...] = ("tool", "file", "runtime", "top-1 %", "agrees %", "SQNR dB")
COLUMNS += ("p50 ms", "CPU ms", "of the best", "MB", "s", "CPU s", "GB")
HEADER = f"| {' | '.join(COLUMNS)} |"
RULE = "| --- | --- | --- |" + " ---: |" * 10


def table(rows: list[Row]) -> str:
    """One line for each file on each runtime; what belongs to the file stands on its first."""
    lines, seen = [HEADER, RULE], set()
    for row in rows:
        first = row["name"] not in seen
        seen.add(row["name"])
        cells = [row["tool"], f"{row['scheme']} {row['format']}", row["runtime"]]
        if "error" in row:
            lines.append(f"| {' | '.join(cells)} | {row['error'].replace('|', '/')} |" + " |" * 9)
            continue
        cells += [_figure(row.get(key), 100, 2) for key in ("top1", "agreement")]
        cells += [_figure(row.get("sqnr_db"), 1, 1), _figure(row.get("p50_ms"), 1, 2)]
        cells += [_figure(row.get("cpu_ms"), 1, 2), _ratio(row)]
        cells += [_figure(row["bytes"], 1e-6, 2), _figure(row["seconds"], 1, 1)] if first else ["", ""]
        cells += [_figure(row["cpu_seconds"], 1, 1), _figure(row["peak_gb"], 1, 2)] if first else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _figure(value: float | None, factor: float, digits: int) -> str:
    return "" if value is None else f"{value * factor:.{digits}f}"


def _ratio(row: Row) -> str:
    if "times_best" not in row:
        return ""
    low, high = row["times_best_ci95"]
    return f"{row['times_best']:.2f} ({low:.2f} to {high:.2f})"


def targets(name: str, rows: list[Row]) -> str:
    """The ratios that are promised of ResNet-50, round by round, with their intervals."""
    if name != "resnet50":
        return ""
    ours = [row for row in rows if row["name"].startswith("ours_") and row["scheme"] == "int8"]
    best_of_ort = [row for row in rows if row["name"].startswith("ort_")]
    nncf = [row for row in rows if row["name"].startswith("nncf_openvino")]
    lines = [
        _target(
            "our int8 ONNX / ONNX Runtime's own best file",
            "<= 1.05",
            _one(rows, "ours_onnx_int8", ORT),
            _fastest(best_of_ort),
        ),
        _target(
            "quantize_static, defaults / our int8 ONNX",
            ">= 2",
            _one(rows, "ort_defaults", PLAIN),
            _one(rows, "ours_onnx_int8", ORT),
        ),
        _target(
            "our fp32 TFLite / our int8 TFLite",
            ">= 3.3",
            _one(rows, "ours_tflite_fp32", LITERT),
            _one(rows, "ours_tflite_int8", LITERT),
        ),
        _target("our fastest / NNCF int8 on OpenVINO", "<= 1.15", _fastest(ours), _fastest(nncf)),
    ]
    return "\n".join(["| ResNet-50, processor time | target | measured |", "| --- | --- | --- |", *lines])


def _one(rows: list[Row], name: str, runtime: str) -> Row | None:
    return next((r for r in rows if (r["name"], r["runtime"]) == (name, runtime) and "p50_ms" in r), None)


def _fastest(rows: list[Row]) -> Row | None:
    return min((row for row in rows if "p50_ms" in row), key=lambda row: row["cpu_ms"], default=None)


def _target(what: str, target: str, above: Row | None, below: Row | None) -> str:
    if above is None or below is None:
        return f"| {what} | {target} | not measured |"
    pair = [np.array(row["round_cpu_ms"]) for row in (above, below)]
    ratio, (low, high) = statistics.paired_ratio(pair[0], pair[1])
    names = " / ".join(f"{row['tool']} {row['format']} on {row['runtime']}" for row in (above, below))
    return f"| {what} | {target} | {ratio:.2f} ({low:.2f} to {high:.2f}): {names} |"


def load_line(rows: list[Row], others: float | None) -> str:
    """How quiet it was while the files took turns."""
    rounds = max((len(row["round_cpu_ms"]) for row in rows if "round_cpu_ms" in row), default=0)
    busy = "an unknown number of" if others is None else f"{others:.1f}"
    return f"{rounds} rounds; other processes kept {busy} cores busy meanwhile.\n"


def machine_line(machine: dict[str, Any], versions: dict[str, str]) -> str:
    """What it ran on."""
    flags = ", ".join(machine["int8_flags"])
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machine['cpu']}, {machine['usable_cores']} cores ({flags}), {machine['os']}; {used}."
