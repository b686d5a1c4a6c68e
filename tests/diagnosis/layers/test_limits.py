"""Where numbers end that came through a grid."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.diagnosis.layers.limits import held_limits
from resnet_edge.diagnosis.layers.steps import Constant, Kind, LayerStep, OpenedSteps, StepGrid

NARROW, WIDE = StepGrid(low=-1.0, high=5.0, step=0.25), StepGrid(low=-8.0, high=8.0, step=0.5)


def ends(
    op: str, grids: dict[str, StepGrid], *, kind: Kind = "move", constant: list[float] | None = None
) -> tuple[list[float], list[float]] | None:
    """Of what one operation gives."""
    held = None if constant is None else Constant(values=np.array(constant), variance=np.zeros(()))
    step = LayerStep(op=op, kind=kind, reads=("x",), gives=("y",), constant=held)
    limits = held_limits(OpenedSteps(steps=(step,), grids=grids, entry="x", exit="y"))
    if "y" not in limits:
        return None
    low, high = limits["y"]
    return np.ravel(low).tolist(), np.ravel(high).tolist()


@pytest.mark.parametrize(("first", "second"), [(NARROW, WIDE), (WIDE, NARROW)])
def test_what_goes_from_one_grid_to_another_holds_no_more_than_both(
    first: StepGrid, second: StepGrid
) -> None:
    """TFLite's converter gives branches of a concatenation its grid, behind their own."""
    assert ends("quantize", {"x": first, "y": second}) == ([-1.0], [5.0])


def test_a_constant_moves_the_ends_of_each_channel() -> None:
    assert ends("add", {"x": NARROW}, kind="sum", constant=[1.0, 3.0]) == ([0.0, 2.0], [6.0, 8.0])


def test_a_negative_factor_exchanges_the_ends() -> None:
    assert ends("mul", {"x": NARROW}, kind="product", constant=[2.0, -1.0]) == ([-2.0, -5.0], [10.0, 1.0])


def test_a_relu_leaves_the_lower_end_to_what_is_judged() -> None:
    """Else one too many could not be seen."""
    assert ends("relu", {"x": NARROW}, kind="elementwise") == ([-1.0], [5.0])


@pytest.mark.parametrize("op", ["sub", "average_pool_2d", "conv_2d"])
def test_what_cuts_off_elsewhere_has_no_ends(op: str) -> None:
    assert ends(op, {"x": NARROW}, kind="sum", constant=None) is None


def test_numbers_of_no_grid_have_no_ends() -> None:
    assert ends("quantize", {}) is None
