"""What `verify` tells of golden vectors: a line for what was saved, and a table of what was replayed."""

from __future__ import annotations

from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
from resnet_edge.core.results.golden_vectors import GoldenRow
from resnet_edge.golden.replay import GoldenReplay

HEADER = ("Artifact", "Backend", "Images", "Same top-1", "Furthest", "Allowed", "Verdict")


def print_golden(replay: GoldenReplay) -> None:
    """Print every row, and under the table why one did not pass."""
    console = stdout_console()
    body = [[spelled(console, cell) for cell in _cells(row)] for row in replay.rows]
    print_grid(console, [*HEADER], body, left={"Backend", "Verdict"})
    for row in replay.rows:
        for reason in row.reasons:
            print_line(console, spelled(console, f"{row.artifact} on {row.backend} {row.device}: {reason}"))
    for name in replay.left:
        print_line(console, spelled(console, f"not given: {name}"), "dim")
    vectors = replay.vectors
    note = f"{len(vectors.rows)} images of {vectors.data}; saved on {vectors.machine or 'an unnamed machine'}"
    print_line(console, spelled(console, note), "dim")


def _cells(row: GoldenRow) -> list[str]:
    return [
        row.artifact,
        f"{row.backend} {row.device}",
        f"{row.n:,}",
        "–" if row.same_top1 is None else f"{row.same_top1:,} ({row.near_ties} near-ties)",
        _apart(row.max_abs, row.steps, row.allowed_steps is not None),
        _apart(row.allowed_max_abs, row.allowed_steps, row.allowed_steps is not None),
        row.verdict,
    ]


def _apart(max_abs: float | None, steps: int | None, in_steps: bool) -> str:
    if max_abs is None:
        return "–"
    if in_steps and steps is not None:
        return "1 step" if steps == 1 else f"{steps} steps"
    return f"{max_abs:.2g}"
