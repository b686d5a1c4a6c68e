"""Layers that multiply integers, as a node has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from resnet_edge.diagnosis.overflow.integer_layers import IntegerLayer, halved, integer_layer
from resnet_edge.diagnosis.overflow.sums import LayerSums

RANDOM = np.random.default_rng(13)
CONSTANTS: dict[str, Any] = {
    "in_s": np.float32(0.5), "in_z": np.uint8(7), "out_s": np.float32(0.25), "out_z": np.uint8(9),
    "w_s": np.array([0.1, 0.2, 0.3, 0.4], np.float32), "w_z": np.zeros(4, np.int8),
    "b": np.array([10, -20, 30, -40], np.int32),
    "kernel": RANDOM.integers(-128, 128, (4, 2, 3, 5), np.int8),
    "matrix": RANDOM.integers(-128, 128, (6, 4), np.int8),
}  # fmt: skip


def layer(op: str, *inputs: str, constants: dict[str, Any] | None = None, **attributes: Any) -> IntegerLayer:
    node: onnx.NodeProto = helper.make_node(op, [*inputs], ["y"], name="layer", **attributes)
    return integer_layer(node, CONSTANTS | (constants or {}))


CONV = "x", "in_s", "in_z", "kernel", "w_s", "w_z", "out_s", "out_z", "b"
GEMM = "x", "in_s", "in_z", "matrix", "w_s", "w_z", "b", "out_s", "out_z"
MATMUL = "x", "in_s", "in_z", "matrix", "w_s", "w_z", "out_s", "out_z"


def test_a_kernel_stands_in_rows_columns_and_channels() -> None:
    """As MLAS adds."""
    integer = layer("QLinearConv", *CONV, strides=[2, 2])
    assert integer.weights.shape == (1, 3 * 5 * 2, 4)
    np.testing.assert_array_equal(integer.weights[0, :, 1], CONSTANTS["kernel"][1].transpose(1, 2, 0).ravel())
    assert integer.geometry is not None
    assert integer.geometry.kernel == (3, 5)
    assert not integer.geometry.channels_last
    assert (integer.in_zero, integer.out_zero) == (7, 9)
    assert integer.out_dtype == np.uint8
    np.testing.assert_allclose(integer.scale, 0.5 * CONSTANTS["w_s"] / 0.25)
    assert integer.bias.tolist() == [10, -20, 30, -40]


def test_groups_are_apart() -> None:
    integer = layer("QLinearConv", *CONV, group=2)
    assert integer.weights.shape == (2, 30, 2)
    np.testing.assert_array_equal(integer.weights[1, :, 0], CONSTANTS["kernel"][2].transpose(1, 2, 0).ravel())


def test_the_inputs_of_a_gemm_are_in_another_order() -> None:
    gemm, matmul = layer("QGemm", *GEMM), layer("QLinearMatMul", *MATMUL)
    np.testing.assert_array_equal(gemm.weights[0], CONSTANTS["matrix"])
    assert gemm.bias.tolist() == [10, -20, 30, -40]
    assert matmul.bias.tolist() == [0, 0, 0, 0]
    assert (gemm.out_zero, matmul.out_zero, gemm.geometry) == (9, 9, None)
    np.testing.assert_array_equal(gemm.scale, matmul.scale)


def test_a_transposed_matrix_is_turned() -> None:
    turned = layer("QGemm", *GEMM, transB=1, constants={"matrix": CONSTANTS["matrix"].T})
    np.testing.assert_array_equal(turned.weights[0], CONSTANTS["matrix"])


def test_without_a_scale_the_output_is_real() -> None:
    integer = layer("QGemm", *GEMM[:7])
    assert integer.out_dtype == np.float32
    np.testing.assert_allclose(integer.scale, 0.5 * CONSTANTS["w_s"])


@pytest.mark.parametrize(
    ("change", "group", "narrow"),
    [
        ({}, 1, True),
        ({"in_z": np.int8(0)}, 1, False),
        ({"kernel": np.ones((4, 2, 3, 5), np.uint8)}, 1, False),
        ({"kernel": np.ones((4, 1, 3, 3), np.int8)}, 4, False),  # a depthwise kernel adds in 32 bits
    ],
)
def test_only_uint8_by_int8_is_narrow(change: dict[str, Any], group: int, narrow: bool) -> None:
    assert layer("QLinearConv", *CONV, constants=change, group=group).narrow is narrow


def test_weights_that_are_computed_are_none() -> None:
    with pytest.raises(KeyError, match="elsewhere"):
        layer("QGemm", "x", "in_s", "in_z", "elsewhere", *GEMM[4:])


def test_seven_bits_give_the_same_but_for_their_rounding_and_no_pair_is_at_risk() -> None:
    whole = layer("QGemm", *GEMM[:7], constants={"w_z": np.array([3, 0, -2, 1], np.int8)})
    seven = halved(whole)
    assert LayerSums(whole).at_risk > 0
    # a zero point of 3 leaves weights from -131, half of which is 65.5
    assert np.abs(seven.weights).max() <= 66
    assert LayerSums(halved(replace(whole, weight_zero=0 * whole.weight_zero))).at_risk == 0
    rows = RANDOM.integers(0, 256, (20, 6)).astype(np.uint8)
    exact, in_seven = (LayerSums(each).run(rows, cut=False) for each in (whole, seven))
    most = (np.abs(rows.astype(int) - 7).sum(axis=1, keepdims=True) / 2 + 0.5) * seven.scale
    assert (np.abs(in_seven - exact) <= most * 1.001).all()
    assert (in_seven != exact).any()
