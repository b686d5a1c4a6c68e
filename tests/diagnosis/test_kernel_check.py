"""What kernels may add to a file as it is written."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.tolerances import (
    FLOAT_ON_CPU,
    INT8,
)
from resnet_edge.diagnosis.kernel_check import checked, step_of

RANDOM = np.random.default_rng(4)
GRID = (0.31 * (RANDOM.integers(-90, 90, (40, 10)) - 3)).astype(np.float32)
REAL = RANDOM.normal(0, 5, (40, 10)).astype(np.float32)


def test_the_step_of_a_grid_is_found() -> None:
    assert step_of(GRID) == pytest.approx(0.31, rel=1e-4)


@pytest.mark.parametrize("outputs", [REAL, np.zeros((3, 4), np.float32)])
def test_outputs_on_no_grid_have_no_step(outputs: NDArray[np.float32]) -> None:
    assert step_of(outputs) is None


@pytest.mark.parametrize("steps", [1, 3])
def test_int8_is_measured_in_steps(steps: int) -> None:
    outputs = GRID + np.float32(0.31 * steps)
    check = checked(GRID, GRID, outputs, "int8", "cpu")
    assert check.tolerance == INT8
    assert check.allowed == INT8.most == 2
    assert check.measured == pytest.approx(steps, abs=0.01)
    assert check.within == (steps < 2)
    assert checked(GRID, GRID, GRID, "int8", "cpu").measured == 0


def test_kernels_may_add_more_where_rounding_makes_more() -> None:
    exact = GRID + np.float32(0.31 * 4)
    check = checked(exact, GRID, GRID + np.float32(0.31 * 3), "int8", "cpu")
    assert check.allowed == pytest.approx(8, abs=0.01)
    assert check.within


def test_float_is_measured_by_the_outputs() -> None:
    outputs = REAL * np.float32(1 + 3 * FLOAT_ON_CPU.most)
    check = checked(REAL, REAL, outputs, "fp32", "cpu")
    assert check.measured == pytest.approx(3 * FLOAT_ON_CPU.most, rel=0.01)
    assert not check.within
    assert checked(REAL, REAL, outputs, "fp32", "gpu").within
