"""Which tolerance holds where."""

from __future__ import annotations

import pytest

from resnet_edge.core import registry
from resnet_edge.core.tolerances import (
    FLOAT16_ON_CPU,
    FLOAT_ON_CPU,
    FLOAT_ON_GPU,
    INT8,
    ROUNDED,
    TF32,
    Tolerance,
    tolerance,
)
from resnet_edge.diagnosis.kernel_check import checked
from resnet_edge.schemes import scheme_named
from tests.diagnosis.test_kernel_check import REAL


@pytest.mark.parametrize(
    ("scheme", "device", "on_a_grid", "expected"),
    [
        ("fp32", "cpu", False, FLOAT_ON_CPU),
        ("fp16", "cpu", False, FLOAT16_ON_CPU),
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
    assert tolerance(scheme_named(scheme), device, on_a_grid=on_a_grid) == expected
    assert expected.reason


@pytest.mark.parametrize("scheme", registry.names("schemes"))
def test_every_scheme_has_one(scheme: str) -> None:
    assert not checked(REAL, REAL, 1.2 * REAL, scheme, "cpu").within
    assert checked(REAL, REAL, REAL, scheme, "cpu").within
