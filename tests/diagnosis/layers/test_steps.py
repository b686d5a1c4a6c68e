"""What grids hold of activations that go from one to the next."""

from __future__ import annotations

import pytest

from resnet_edge.diagnosis.layers.steps import Grid, Opened, Step

NARROW, WIDE = Grid(low=-1.0, high=5.0, step=0.25), Grid(low=-8.0, high=8.0, step=0.5)


def opened(op: str, grids: dict[str, Grid]) -> Opened:
    step = Step(op=op, kind="move", reads=("x",), gives=("y",))
    return Opened(steps=(step,), grids=grids, halves=frozenset(), entry="x", exit="y")


def test_what_goes_from_one_grid_to_another_holds_no_more_than_both() -> None:
    """TFLite's converter gives branches of a concatenation its grid, behind their own."""
    held = opened("quantize", {"x": NARROW, "y": WIDE}).held_grids()
    assert held == {"x": NARROW, "y": Grid(low=-1.0, high=5.0, step=0.5)}
    held = opened("quantize", {"x": WIDE, "y": NARROW}).held_grids()
    assert held["y"] == NARROW


def test_ends_that_are_on_no_step_of_the_other_grid_are_rounded() -> None:
    found = Grid(low=0.0, high=8.0, step=0.5).within(Grid(low=0.0, high=5.1, step=0.02))
    assert [found.low, found.high] == pytest.approx([0.0, 5.0])


def test_a_grid_without_a_step_is_left_to_others() -> None:
    damaged = Grid(low=0.0, high=0.0, step=0.0)
    assert opened("quantize", {"x": NARROW, "y": damaged}).held_grids()["y"] == damaged


def test_a_relu_ends_no_grid() -> None:
    """Else one too many could not be seen."""
    assert opened("relu", {"x": NARROW}).held_grids() == {"x": NARROW}


def test_numbers_of_no_grid_stay_so() -> None:
    assert opened("quantize", {"y": WIDE}).held_grids() == {"y": WIDE}
