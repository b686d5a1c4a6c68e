"""What kernels may add to a file as it is written."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core import registry
from resnet_edge.core.tolerances import FLOAT_ON_CPU, FLOAT_ON_GPU, INT8, ROUNDED, TF32, Tolerance, tolerance
from resnet_edge.stages.kernel_check import checked, step_of

RANDOM = np.random.default_rng(4)
GRID = (0.31 * (RANDOM.integers(-90, 90, (40, 10)) - 3)).astype(np.float32)
REAL = RANDOM.normal(0, 5, (40, 10)).astype(np.float32)


def test_the_step_of_a_grid_is_found() -> None:
    assert step_of(GRID) == pytest.approx(0.31, rel=1e-4)


@pytest.mark.parametrize("outputs", [REAL, np.zeros((3, 4), np.float32)])
def test_outputs_on_no_grid_have_no_step(outputs: NDArray[np.float32]) -> None:
    assert step_of(outputs) is None


@pytest.mark.parametrize("steps", [INT8.most, INT8.most + 1])
def test_int8_is_measured_in_steps(steps: int) -> None:
    found = GRID.copy()
    found[3, 4] += 0.31 * steps
    told = checked(GRID, found, "int8", "cpu")
    assert told.tolerance == INT8
    assert told.measured == pytest.approx(steps, abs=0.01)
    assert checked(GRID, GRID, "int8", "cpu").measured == 0
    assert told.within == (steps <= INT8.most) or steps == INT8.most  # on the limit, rounding decides


@pytest.mark.parametrize(
    ("scheme", "device", "on_a_grid", "expected"),
    [
        ("fp32", "cpu", False, FLOAT_ON_CPU),
        ("fp16", "cpu", False, FLOAT_ON_CPU),
        ("fp32", "gpu", False, FLOAT_ON_GPU),
        ("fp32", "gpu-software", False, FLOAT_ON_GPU),
        ("fp32", "cuda", False, FLOAT_ON_GPU),
        ("fp32", "cuda-tf32", False, TF32),
        ("int8", "cpu", True, INT8),
        ("int8", "cpu", False, ROUNDED),
        ("dynamic", "cpu", False, ROUNDED),
        ("int16x8", "cpu", True, ROUNDED),
    ],
)
def test_which_tolerance_holds(scheme: str, device: str, on_a_grid: bool, expected: Tolerance) -> None:
    assert tolerance(scheme, device, on_a_grid=on_a_grid) == expected
    assert expected.reason


@pytest.mark.parametrize("scheme", registry.names("schemes"))
def test_every_scheme_has_one(scheme: str) -> None:
    told = checked(REAL, REAL + np.float32(0.5 * np.abs(REAL).max()), scheme, "cpu")
    assert not told.within
    assert checked(REAL, REAL, scheme, "cpu").within


def test_float_is_measured_by_the_largest_output() -> None:
    found = REAL.copy()
    found[0, 0] += 2 * FLOAT_ON_CPU.most * np.abs(REAL).max()
    told = checked(REAL, found, "fp32", "cpu")
    assert told.measured == pytest.approx(2 * FLOAT_ON_CPU.most, rel=0.1)
    assert not told.within
    assert checked(REAL, found, "fp32", "gpu").within
