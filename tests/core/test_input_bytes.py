from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.input_bytes import brightest, ends_of_bytes, meant_by_bytes
from resnet_edge.core.tensors import dequantize, quantize

BYTES = np.arange(256, dtype=np.uint8)


def spec(dtype: str, scale: float, zero_point: int) -> TensorSpec:
    return TensorSpec("image", (1, 16, 16, 1), dtype, Quantization((scale,), (zero_point,), None))


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [
        ("uint8", 1.0, 0),
        ("int8", 1.0, -128),
        ("uint8", 0.9981, 0),  # calibrated on images whose brightest pixel is 254.5
        ("uint8", 0.4, 0),  # on dark ones
        ("int8", 255 / 127, 0),  # symmetric
    ],
)
def test_an_input_that_takes_pixels_is_given_pixels(dtype: str, scale: float, zero_point: int) -> None:
    assert meant_by_bytes(spec(dtype, scale, zero_point)) is None


@pytest.mark.parametrize(
    ("scale", "zero_point", "ends"),
    [
        (1 / 255, 0, (0.0, 1.0)),
        (1 / 300, 0, (0.0, 0.85)),  # 0 to 1, calibrated on images that are not white
        (1 / 127.5, 128, (-1.004, 0.996)),
        (0.0187, 114, (-2.13, 2.64)),  # ImageNet's mean and deviation
        (1.078, 115, (-123.97, 150.92)),  # means of blue, green and red alone
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_bytes_reach_another_input_as_they_are(
    dtype: str, scale: float, zero_point: int, ends: tuple[float, float]
) -> None:
    least = np.iinfo(dtype).min
    given = spec(dtype, scale, zero_point + least)
    grid = meant_by_bytes(given)
    assert grid is not None
    meant = (BYTES * np.float32(grid.scale[0]) + np.float32(grid.offset[0])).reshape(1, 16, 16, 1)
    assert (meant.min(), meant.max()) == pytest.approx(ends, abs=0.01)
    stored = quantize(meant, given)
    assert (stored.ravel().astype(int) == BYTES.astype(int) + least).all()
    assert dequantize(stored, given) == pytest.approx(meant, rel=1e-6, abs=1e-4)


def test_floats_wide_integers_and_inputs_without_a_scale_mean_no_bytes() -> None:
    assert meant_by_bytes(TensorSpec("image", (1, 8, 8, 3), "float32", None)) is None
    assert meant_by_bytes(TensorSpec("image", (1, 8, 8, 3), "uint8", None)) is None
    assert meant_by_bytes(spec("int16", 1 / 32767, 0)) is None


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "most"),
    [
        ("int16", 1 / 32767, 0, 1.0),  # 0 to 1, or -1 to 1: white would be 255 times what it holds
        ("int16", 2.64 / 32767, 0, 2.64),
        ("uint16", 1 / 65535, 0, 1.0),
        ("int16", 255 / 32767, 0, None),
        ("uint16", 255 / 65535, 0, None),
        ("uint8", 0.4, 0, 102.0),
        ("uint8", 1.0, 0, None),
        ("int8", 255 / 127, 0, None),
        ("uint8", 1 / 255, 0, None),  # bytes mean something else
        ("float32", 1.0, 0, None),
    ],
)
def test_the_brightest_that_an_input_holds(
    dtype: str, scale: float, zero_point: int, most: float | None
) -> None:
    assert brightest(spec(dtype, scale, zero_point)) == pytest.approx(most)


def test_of_several_grids_the_darkest_counts() -> None:
    grids = Quantization((1.0, 0.5), (0, 0), 3)
    wide = TensorSpec("image", (1, 8, 8, 2), "uint8", grids)
    assert brightest(wide) == 127.5
    assert ends_of_bytes(wide) is None
