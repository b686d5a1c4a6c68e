"""A layer of integers on one image, beside sums that numpy makes in 64 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.diagnosis.overflow.emulation import Emulation
from resnet_edge.diagnosis.overflow.integer_layers import Geometry, IntegerLayer
from resnet_edge.diagnosis.overflow.sums import LayerSums
from resnet_edge.formats.onnx import optimized
from tests.diagnosis.overflow.test_emulation import IMAGES as BRIGHT
from tests.diagnosis.overflow.test_emulation import written

RANDOM = np.random.default_rng(12)


def layer(weights: NDArray[Any], geometry: Geometry | None = None, **more: Any) -> IntegerLayer:
    """Of weights (groups, K, O), that gives its sums as they are if nothing else is said."""
    outputs = weights.shape[0] * weights.shape[2]
    defaults: dict[str, Any] = {
        "weight_zero": np.zeros(outputs, np.int64),
        "bias": np.zeros(outputs, np.int64),
        "scale": np.ones(outputs, np.float32),
        "in_zero": 0,
        "out_zero": 0,
        "out_dtype": np.dtype(np.float32),
        "narrow": True,
    }
    return IntegerLayer(
        name="layer",
        reads="x",
        gives="y",
        weights=weights.astype(np.int32),
        geometry=geometry,
        **defaults | more,
    )


WEIGHTS = RANDOM.integers(-128, 128, (1, 7, 3))
ROWS = RANDOM.integers(0, 256, (5, 7)).astype(np.uint8)
SUMS = ROWS.astype(np.int64) @ WEIGHTS[0]


def test_in_32_bits_sums_are_exact() -> None:
    sums = LayerSums(layer(WEIGHTS))
    np.testing.assert_array_equal(sums.run(ROWS, cut=False), SUMS.astype(np.float32))
    assert (sums.added, sums.overflowed) == (0, 0)


def test_in_16_bits_each_pair_is_cut_off_by_itself() -> None:
    """An odd row at the end is a pair with nothing."""
    pairs = np.pad(ROWS.astype(np.int64), ((0, 0), (0, 1)))[:, :, None] * np.pad(WEIGHTS[0], ((0, 1), (0, 0)))
    sums = pairs[:, 0::2] + pairs[:, 1::2]
    layer_sums = LayerSums(layer(WEIGHTS))
    outputs = layer_sums.run(ROWS, cut=True)
    np.testing.assert_array_equal(outputs, np.clip(sums, -32768, 32767).sum(axis=1).astype(np.float32))
    assert layer_sums.overflowed == np.count_nonzero(sums != np.clip(sums, -32768, 32767)) > 0
    assert layer_sums.added == sums.size


def test_a_layer_that_is_not_narrow_is_never_cut_off() -> None:
    sums = LayerSums(layer(WEIGHTS, narrow=False))
    np.testing.assert_array_equal(sums.run(ROWS, cut=True), SUMS.astype(np.float32))
    assert (sums.at_risk, sums.added) == (0, 0)


@pytest.mark.parametrize(("weight_zero", "in_zero"), [(0, 128), (9, 0), (-5, 77)])
def test_zero_points_of_both_sides(weight_zero: int, in_zero: int) -> None:
    zeros = np.full(3, weight_zero, np.int64)
    sums = LayerSums(layer(WEIGHTS, weight_zero=zeros, in_zero=in_zero))
    real = (ROWS.astype(np.int64) - in_zero) @ (WEIGHTS[0] - weight_zero)
    np.testing.assert_array_equal(sums.run(ROWS, cut=False), real.astype(np.float32))


def test_an_output_in_integers_is_rounded_to_even_and_cut_off() -> None:
    one = np.ones((1, 1, 1), np.int64)
    rows = np.array([[1], [3], [5], [255]], np.uint8)
    half = layer(one, scale=np.full(1, 0.5, np.float32), out_zero=200, out_dtype=np.dtype(np.uint8))
    assert LayerSums(half).run(rows, cut=False).ravel().tolist() == [200, 202, 202, 255]


@pytest.mark.parametrize("channels_last", [0, 1])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_moves_its_kernel_over_the_image(channels_last: int, groups: int) -> None:
    """Two strides, and padding with the zero point."""
    image = RANDOM.integers(0, 256, (5, 6, 4)).astype(np.uint8)
    kernel = RANDOM.integers(-128, 128, (groups, 3 * 3 * 4 // groups, 2))
    attributes = {"strides": [2, 1], "pads": [1, 1, 1, 1], "channels_last": channels_last}
    layer_sums = LayerSums(layer(kernel, Geometry((3, 3), attributes), in_zero=3))
    given = image[None] if channels_last else image.transpose(2, 0, 1)[None]
    outputs = layer_sums.run(given, cut=False)[0]
    padded = np.pad(image.astype(np.int64) - 3, ((1, 1), (1, 1), (0, 0)))
    expected = np.zeros((3, 6, 2 * groups), np.int64)
    each = 4 // groups
    for row, column, group in np.ndindex(3, 6, groups):
        patch = padded[2 * row : 2 * row + 3, column : column + 3, group * each : (group + 1) * each]
        expected[row, column, 2 * group : 2 * group + 2] = patch.ravel() @ kernel[group]
    np.testing.assert_array_equal(outputs if channels_last else outputs.transpose(1, 2, 0), expected)


def test_what_overflows_is_counted(tmp_path: Path) -> None:
    emulation = Emulation(optimized(written(tmp_path, "plain")))
    first = emulation.layers[0]
    emulation.run(BRIGHT[:1])
    assert 0 < first.overflowed < first.added == 9 * 9 * first.risks[0].pairs
