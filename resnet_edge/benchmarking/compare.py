"""Runs in the parent. What changed between two runs of bench, or two machines, or two commits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.documents import read_json
from resnet_edge.core.results.bench import Bench, Interval, Timing

Change = Literal["faster", "slower", "no difference shown"]
BETWEEN_RUNS = 1.05
"""The same files, timed in two runs of 25 s one after the other, came out up to 1.03 times slower, with
intervals apart: what one run sees of its own noise is not all of it."""
MACHINE = ("cpu", "architecture", "usable_cores", "int8_flags", "os", "python")


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """One row of both runs. `ratio` is the latency after over that before, and `ratio_between` what it
    can be at most and at least, by the 95 % intervals of both: the runs were not interleaved, so
    that nothing divides out. `same_file`: both timed the very same artifact."""

    artifact: str
    backend: str
    device: str
    before_ms: float
    after_ms: float
    ratio: float
    ratio_between: Interval
    change: Change
    same_file: bool


@dataclass(frozen=True)
class RunComparison:
    """`only_before` and `only_after` have no partner; `different` tells what else is not the same."""

    rows: tuple[ComparedRow, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    different: tuple[str, ...]


def read_bench(path: Path) -> Bench:
    """A document that `bench --json` printed. Raises DataError."""
    what, fix = "document of bench", "name what bench --json printed"
    bench: Bench = read_json(path, Bench, what, fix)
    if not bench.rows or any(min(row.p50_ms, *row.p50_ci95_ms) <= 0 for row in bench.rows):
        raise DataError(f"{path} is no {what} (no latency above 0): {fix}")
    return bench


def compared(before: Bench, after: Bench) -> RunComparison:
    """Row by row, matched by artifact, backend, device, threads and batch."""
    theirs = {_key(row): row for row in before.rows}
    ours = {_key(row): row for row in after.rows}
    shared = [key for key in theirs if key in ours]
    return RunComparison(
        tuple(_row(theirs[key], ours[key], before, after) for key in shared),
        tuple(_name(row) for key, row in theirs.items() if key not in ours),
        tuple(_name(row) for key, row in ours.items() if key not in theirs),
        tuple(_different(before, after)),
    )


def _row(before: Timing, after: Timing, first: Bench, second: Bench) -> ComparedRow:
    (low, high), (lowest, highest) = before.p50_ci95_ms, after.p50_ci95_ms
    between = lowest / high, highest / low
    change: Change = "no difference shown"
    if between[1] < 1 / BETWEEN_RUNS:
        change = "faster"
    elif between[0] > BETWEEN_RUNS:
        change = "slower"
    known = first.sha256.get(before.artifact)
    return ComparedRow(
        artifact=after.artifact,
        backend=after.backend,
        device=after.device,
        before_ms=before.p50_ms,
        after_ms=after.p50_ms,
        ratio=after.p50_ms / before.p50_ms,
        ratio_between=between,
        change=change,
        same_file=known is not None and known == second.sha256.get(after.artifact),
    )


def _different(before: Bench, after: Bench) -> list[str]:
    """What else could be behind a difference, one line each."""
    facts: list[tuple[str, Any, Any]] = [
        (name, before.machine.get(name), after.machine.get(name)) for name in MACHINE
    ]
    names = sorted({*before.versions, *after.versions})
    facts += [(name, before.versions.get(name), after.versions.get(name)) for name in names]
    return [f"{name}: {_text(was)}, then {_text(now)}" for name, was, now in facts if was != now]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "not there" if value is None else str(value)


def _key(row: Timing) -> tuple[str, str, str, int, int]:
    return row.artifact, row.backend, row.device, row.threads, row.batch


def _name(row: Timing) -> str:
    return f"{row.artifact} on {row.backend} {row.device}, threads {row.threads}, batch {row.batch}"
