"""What `bench` found, as a table on stdout, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from resnet_edge.cli._grid import fitting_grid, print_grid, print_line, spelled, stdout_console
from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.core.results.profile import short
from resnet_edge.report import words
from resnet_edge.report.bench_words import (
    answer,
    correct,
    machine_line,
    name_of,
    not_timed,
    proof_of,
    shared_model,
    table_notes,
    unsettled,
)

if TYPE_CHECKING:
    from rich.console import Console


BRIEF = ("Artifact", "Backend", "p50, ms", "±", "× best", "Size", "Top-1", "Rank")
MORE = ("p90, ms", "Limit", "Open, ms", "First, ms", "Memory")
"""Columns of a wide terminal, beside the others."""

SHOWN = 24
"""Layers of a profile."""


def print_bench(bench: Bench, width: int | None = None) -> None:
    """Print the fastest first, then how quiet it was, what failed, why figures do not hold, and last what to
    ship; machine by machine."""
    console = stdout_console(width)
    parts = bench.by_machine()
    for host, part in parts.items():
        if len(parts) > 1 or host:
            print_line(console, spelled(console, machine_line(host, part)), "bold")
        _print_machine(console, part)
        console.print()


def _print_machine(console: Console, bench: Bench) -> None:
    rows = sorted(bench.rows, key=lambda row: row.p50_ms)
    model = shared_model(rows)
    if model:
        print_line(console, spelled(console, f"Artifacts of {model}"), "bold")
    brief = not _wide(console, bench, rows, model)
    if brief:
        _print_rows(console, bench, rows, model)
    for line in table_notes(bench, rows, brief=brief):
        print_line(console, spelled(console, line), "dim")
    _profiles(console, rows, model)
    _remarks(console, bench, rows)
    console.print()
    for line in answer(bench):
        print_line(console, spelled(console, line), "bold")


def _remarks(console: Console, bench: Bench, rows: list[Timing]) -> None:
    """Paragraphs between the tables and the answer."""
    failed = [
        f"{one.artifact} on {one.backend} {one.device}: could not be timed: {one.message}"
        for one in bench.failures
    ]
    others = not_timed(bench)
    for lines, style in (
        ([f"note: {note}" for note in bench.notes], ""),
        (unsettled(rows, accepted=bench.noise_accepted and not bench.failures), ""),
        (failed, "bold"),
        ([others] if others else [], "dim"),
    ):
        if lines:
            console.print()
        for line in lines:
            print_line(console, spelled(console, line), style)


def _wide(console: Console, bench: Bench, rows: list[Timing], model: str) -> bool:
    """Print all columns, if they fit; whether they did."""
    at = BRIEF.index("Size")
    header = [*BRIEF[:at], *MORE, *BRIEF[at:]]
    body = [
        [*brief[:at], *_more(row), *brief[at:]]
        for row, brief in zip(rows, _body(bench, rows, model), strict=True)
    ]
    return fitting_grid(console, _spelled(console, header), _spelled_rows(console, body), {"Backend"})


def _print_rows(console: Console, bench: Bench, rows: list[Timing], model: str) -> None:
    body = _spelled_rows(console, _body(bench, rows, model))
    print_grid(console, _spelled(console, BRIEF), body, left={"Backend"})


def _spelled(console: Console, cells: Iterable[str]) -> list[str]:
    return [spelled(console, cell) for cell in cells]


def _spelled_rows(console: Console, body: Iterable[Iterable[str]]) -> list[list[str]]:
    return [_spelled(console, cells) for cells in body]


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


def _body(bench: Bench, rows: list[Timing], model: str) -> list[list[str]]:
    """Cells as BRIEF has them."""
    return [_cells(bench, row, model) for row in rows]


def _cells(bench: Bench, row: Timing, model: str) -> list[str]:
    low, high = row.p50_ci95_ms
    proof, size = proof_of(bench, row), bench.size_bytes.get(row.artifact)
    return [
        name_of(row, model),
        row.backend if row.device == "cpu" else f"{row.backend} {row.device}",
        words.milliseconds(row.p50_ms),
        f"{50 * (high - low) / row.p50_ms:.1f}%",
        words.times(row.times_fastest),
        words.ABSENT if size is None else words.size(size),
        words.ABSENT if proof is None else correct(proof.top1, proof.agreement, proof.n),
        f"{row.rank}{'' if row.verdict == 'steady' else '?'}",
    ]


def _more(row: Timing) -> list[str]:
    """Cells as MORE has them."""
    return [
        words.milliseconds(row.p90_ms),
        words.ABSENT if row.roofline is None else f"{row.roofline.share:.0%}",
        words.milliseconds(row.cold.open_ms),
        words.milliseconds(row.cold.first_ms),
        words.ABSENT if row.cold.peak_bytes is None else words.size(row.cold.peak_bytes),
    ]
