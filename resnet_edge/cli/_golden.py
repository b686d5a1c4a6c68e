"""What `verify` tells of golden vectors: a line for what was saved, and a table of what was replayed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_DONE, EXIT_FAILED_PROOF
from resnet_edge.core.results.golden_vectors import GoldenRow
from resnet_edge.golden.replay import GoldenReplay

HEADER = ("Artifact", "Backend", "Images", "Same top-1", "Furthest", "Allowed", "Verdict")


def golden_exit_code(replay: GoldenReplay) -> int:
    """0: all of it passed; 3: something could not be run, which weighs most, as in `exit_code` of `convert`;
    4: other outputs came out."""
    if replay.passed:
        return EXIT_DONE
    ran = all(row.verdict != "not run" for row in replay.rows)
    return EXIT_FAILED_PROOF if ran and replay.rows else EXIT_COULD_NOT


def golden_document(replay: GoldenReplay) -> dict[str, Any]:
    """The JSON document of a replay."""
    vectors = replay.vectors
    return {
        "schema": 1,
        "golden": replay.golden,
        "model": {"name": vectors.model, "sha256": vectors.model_sha256},
        "data": {"source": vectors.data, "sha256": vectors.data_sha256},
        "saved_with": {"resnet_edge": vectors.resnet_edge, "machine": vectors.machine, **vectors.versions},
        "images": len(vectors.rows),
        "rows": [asdict(row) for row in replay.rows],
        "left": list(replay.left),
        "passed": replay.passed,
    }


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
