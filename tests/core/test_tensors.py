from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.tensors import dequantize, quantize


def spec(dtype: str, scale: float = 1.0, zero_point: int = 0) -> TensorSpec:
    return TensorSpec("image", (1, 4), dtype, Quantization((scale,), (zero_point,)))


def test_halves_go_to_even() -> None:
    real = np.array([0.5, 1.5, 2.5, -0.5, -1.5], np.float32)
    assert quantize(real, spec("int8")).tolist() == [0, 2, 2, 0, -2]


@pytest.mark.parametrize(
    ("dtype", "zero_point", "ends"),
    [("int8", -128, (-128, 127)), ("uint8", 0, (0, 255)), ("int16", 0, (-32768, 32767))],
)
def test_what_lies_outside_is_clipped_and_does_not_wrap(
    dtype: str, zero_point: int, ends: tuple[int, int]
) -> None:
    stored = quantize(np.array([-1e9, -np.inf, 1e9, np.inf], np.float32), spec(dtype, 1.0, zero_point))
    assert stored.dtype == dtype
    assert stored.tolist() == [ends[0], ends[0], ends[1], ends[1]]


def test_pixels_at_scale_one_are_their_own_numbers() -> None:
    pixels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(quantize(pixels, spec("uint8")), pixels)
    assert np.array_equal(quantize(pixels, spec("int8", 1.0, -128)).astype(int), np.arange(256) - 128)


def test_scales_along_an_axis() -> None:
    per_class = TensorSpec("logits", (2, 3), "int8", Quantization((1.0, 0.5, 2.0), (0, 1, -1), axis=1))
    real = np.array([[3.0, 3.0, 4.0], [-1.0, 0.0, 0.0]], np.float32)
    stored = quantize(real, per_class)
    assert stored.tolist() == [[3, 7, 1], [-1, 1, -1]]
    assert np.array_equal(dequantize(stored, per_class), real)


def test_float_tensors_are_only_cast() -> None:
    plain = TensorSpec("logits", (None, 2), "float32")
    values = np.array([[0.1, -7.25]], np.float32)
    assert np.array_equal(quantize(values, plain), values)
    assert np.array_equal(dequantize(values, plain), values)


def test_integers_without_a_scale_are_refused() -> None:
    bare = TensorSpec("logits", (1, 2), "int8")
    with pytest.raises(ArtifactError, match="without a scale"):
        dequantize(np.zeros((1, 2), np.int8), bare)
    with pytest.raises(ArtifactError, match="without a scale"):
        quantize(np.zeros((1, 2), np.float32), bare)


def test_nan_is_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        quantize(np.array([np.nan], np.float32), spec("int8"))


@given(
    st.sampled_from(["int8", "uint8", "int16"]),
    st.floats(2.0**-20, 2.0**10, width=32),
    st.integers(-128, 255),
    st.data(),
)
def test_every_stored_number_survives_the_round_trip(
    dtype: str, scale: float, zero_point: int, data: st.DataObject
) -> None:
    ends = np.iinfo(dtype)
    zero_point = max(ends.min, min(ends.max, zero_point))
    numbers = data.draw(st.lists(st.integers(int(ends.min), int(ends.max)), min_size=1, max_size=20))
    stored = np.array(numbers, dtype)
    quantized = spec(dtype, scale, zero_point)
    assert np.array_equal(quantize(dequantize(stored, quantized), quantized), stored)


@given(st.floats(2.0**-10, 2.0**10, width=32), st.integers(-128, 127), st.floats(-1, 1))
def test_no_real_number_in_range_moves_by_more_than_half_a_step(
    scale: float, zero_point: int, share: float
) -> None:
    quantized = spec("int8", scale, zero_point)
    low, high = scale * (-128 - zero_point), scale * (127 - zero_point)
    real = np.array([low + (high - low) * (share + 1) / 2], np.float32)
    moved = np.abs(dequantize(quantize(real, quantized), quantized) - real)[0]
    assert moved <= scale * (0.5 + 1e-4)
