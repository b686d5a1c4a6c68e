"""Tests of benchmarking.wall_time: what does not fit a budget is told at once, and once."""

from __future__ import annotations

from resnet_edge.benchmarking.wall_time import WallTime
from resnet_edge.workers.progress import Progress


def test_what_will_not_fit_is_told_once_it_is_known() -> None:
    lines: list[Progress] = []
    wall = WallTime(0.5, lines.append)
    wall.check_opening(wall.elapsed() - 1, 1, 7)  # 1 s for the first of seven
    wall.check_opening(wall.elapsed() - 2, 2, 7)
    (line,) = lines
    assert line.line
    assert line.note == f"note: {wall.notes[0]}"
    assert wall.notes[0].startswith("--budget 0.5s does not suffice: to open 7 and to warm them up")


def test_what_fits_is_not_spoken_of() -> None:
    lines: list[Progress] = []
    wall = WallTime(3600, lines.append)
    wall.check_opening(wall.elapsed() - 1, 1, 7)
    assert (lines, wall.notes) == ([], ())
    assert 3590 < wall.left() <= 3600
