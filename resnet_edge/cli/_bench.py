"""What `bench` found, as a table on stdout, for people."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.core.results.profile import short
from resnet_edge.report import words
from resnet_edge.report.bench_words import explained, name_of, shared_model

if TYPE_CHECKING:
    from rich.console import Console


HEADER = (
    "Artifact",
    "Backend",
    "p50",
    "±",
    "p90",
    "p99",
    "× best",
    "Limit",
    "Open",
    "First",
    "Memory",
    "Rank",
)

SHOWN = 24
"""Layers of a profile."""


def print_bench(bench: Bench, width: int | None = None) -> None:
    """Print the fastest first, then why figures do not hold, what failed, and how quiet it was."""
    console = stdout_console(width)
    rows = sorted(bench.rows, key=lambda row: row.p50_ms)
    model = shared_model(rows)
    if model:
        print_line(console, spelled(console, f"Artifacts of {model}"), "bold")
    body = [[spelled(console, cell) for cell in _cells(row, model)] for row in rows]
    print_grid(console, [spelled(console, title) for title in HEADER], body, left={"Backend"})
    for line in explained(bench, rows):
        print_line(console, spelled(console, line), "dim")
    _profiles(console, rows, model)
    if bench.notes:
        console.print()
    for note in bench.notes:
        print_line(console, spelled(console, f"note: {note}"))
    shared = set.intersection(*(set(row.reasons) for row in rows))
    _print_reasons(console, "No figure is sure to come out so again:", shared)
    for row in rows:
        _print_reasons(
            console, f"{row.artifact} on {row.backend} {row.device}: inconclusive", set(row.reasons) - shared
        )
    for failed in bench.failures:
        what = f"{failed.artifact} on {failed.backend} {failed.device}: could not be timed"
        _print_reasons(console, what, {failed.message})
    _unopened(console, bench)


def _unopened(console: Console, bench: Bench) -> None:
    """What else there would be to time, dim: it was not asked for."""
    if not bench.unopened:
        return
    console.print()
    print_line(console, spelled(console, "Not timed, and not asked for:"), "dim")
    for one in bench.unopened:
        what = " ".join(filter(None, [f"{one.artifact} on" if one.artifact else "", one.backend, one.device]))
        print_line(console, spelled(console, f"  {what}: {one.message}"), "dim")


def _profiles(console: Console, rows: list[Timing], model: str) -> None:
    """Layer by layer, microseconds of every artifact beside each other; the slowest layers first."""
    watched = [row for row in rows if row.profile is not None]
    if not watched:
        return
    taken: dict[str, dict[int, float]] = {}
    macs: dict[str, int] = {}
    for column, row in enumerate(watched):
        assert row.profile is not None
        for operator in row.profile.operators:
            layer = short(operator.layer) or f"({operator.kind})"
            cells = taken.setdefault(layer, {})
            cells[column] = cells.get(column, 0.0) + operator.microseconds
            macs[layer] = max(macs.get(layer, 0), operator.macs)
    slowest = sorted(taken, key=lambda layer: -max(taken[layer].values()))
    header = ["Layer", "MACs", *(name_of(row, model).replace(".", ".\n") for row in watched)]
    body = []
    for layer in slowest[:SHOWN]:
        cells = taken[layer]
        times = [f"{cells[c]:.0f}" if c in cells else words.ABSENT for c in range(len(watched))]
        body.append([layer, words.quantity(macs[layer]) if macs[layer] else words.ABSENT, *times])
    console.print()
    print_line(
        console,
        spelled(console, "Microseconds of each layer (watching costs time: shares hold, sums do not)"),
    )
    print_grid(console, header, [[spelled(console, cell) for cell in line] for line in body])
    if len(slowest) > SHOWN:
        print_line(console, spelled(console, f"{len(slowest) - SHOWN} more with --json"), "dim")


def _print_reasons(console: Console, what: str, reasons: Collection[str]) -> None:
    if reasons:
        console.print()
        print_line(console, spelled(console, what), "bold")
        for reason in sorted(reasons):
            print_line(console, spelled(console, f"  {reason}"))


def _cells(row: Timing, model: str) -> list[str]:
    low, high = row.p50_ci95_ms
    return [
        name_of(row, model),
        f"{row.backend} {row.device}",
        words.milliseconds(row.p50_ms),
        f"{50 * (high - low) / row.p50_ms:.1f}%",
        words.milliseconds(row.p90_ms),
        words.milliseconds(row.p99_ms),
        words.speed_up(row.times_fastest),
        words.ABSENT if row.roofline is None else f"{row.roofline.share:.0%}",
        words.milliseconds(row.cold.open_ms),
        words.milliseconds(row.cold.first_ms),
        words.ABSENT if row.cold.peak_bytes is None else words.size(row.cold.peak_bytes),
        f"{row.rank}{'' if row.verdict == 'steady' else '?'}",
    ]
