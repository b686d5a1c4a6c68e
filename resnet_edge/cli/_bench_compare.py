"""Two runs of `bench` beside each other on stdout, for people."""

from __future__ import annotations

from resnet_edge.benchmarking.compare import ComparedRow, RunComparison
from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
from resnet_edge.report import words

HEADER = ("Artifact", "Backend", "Before", "After", "After / before [between]", "Change")


def print_comparison(comparison: RunComparison) -> None:
    """Print the rows that both runs have, those that one has, and what else differs."""
    console = stdout_console()
    if comparison.rows:
        body = [[spelled(console, cell) for cell in _cells(row)] for row in comparison.rows]
        print_grid(console, [*HEADER], body, left={"Backend", "Change"})
        note = "p50 in ms. Between: by the 95 % intervals of both runs, which were not interleaved."
        print_line(console, spelled(console, note), "dim")
    for title, names in (("only before", comparison.only_before), ("only after", comparison.only_after)):
        for name in names:
            print_line(console, spelled(console, f"{title}: {name}"))
    for row in comparison.rows:
        if not row.same_file:
            print_line(console, spelled(console, f"another file: {row.artifact}"))
    for line in comparison.different:
        print_line(console, spelled(console, f"different: {line}"))


def _cells(row: ComparedRow) -> list[str]:
    low, high = (f"{bound:.2f}" for bound in row.ratio_between)
    return [
        row.artifact,
        f"{row.backend} {row.device}",
        words.milliseconds(row.before_ms),
        words.milliseconds(row.after_ms),
        f"{row.ratio:.2f} [{low}, {high}]",
        row.change,
    ]
