"""The ends of ONNX graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.artifact import Quantization
from resnet_edge.graph.onnx_io import ends_of, grid_of_input, grid_of_output

node = helper.make_node
GRID = Quantization((0.5,), (3,))


def graph(*nodes: onnx.NodeProto, **constants: Any) -> onnx.GraphProto:
    """From `image` to `scores`, in uint8, with a grid GRID that is called `s` and `z`."""
    held = {"s": np.float32(0.5), "z": np.uint8(3)} | constants
    return helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.UINT8, ["N", 5])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()],
    )


def test_sizes_types_and_grids_of_both_ends() -> None:
    quantized = graph(
        node("DequantizeLinear", ["image", "s", "z"], ["x"]),
        node("QuantizeLinear", ["x", "s", "z"], ["scores"]),
    )
    (entry,), (end,) = ends_of(quantized)
    assert (entry.name, entry.shape, entry.dtype, entry.quantization) == (
        "image",
        (None, 4, 4, 3),
        "uint8",
        GRID,
    )
    assert (end.name, end.shape, end.dtype, end.quantization) == ("scores", (None, 5), "uint8", GRID)


def test_constants_that_are_listed_as_inputs_are_none() -> None:
    """In files before IR version 4."""
    plain = graph(node("Identity", ["image"], ["scores"]))
    plain.input.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, []))
    assert [each.name for each in ends_of(plain)[0]] == ["image"]


@pytest.mark.parametrize(("last", "grid"), [("Transpose", GRID), ("Relu", None)])
def test_grids_are_looked_for_through_what_moves_numbers(last: str, grid: Quantization | None) -> None:
    moved = graph(
        node(last, ["image"], ["x"]),
        node("DequantizeLinear", ["x", "s", "z"], ["y"]),
        node("QuantizeLinear", ["y", "s", "z"], ["q"]),
        node(last, ["q"], ["scores"]),
    )
    assert (grid_of_input(moved, "image"), grid_of_output(moved, "scores")) == (grid, grid)


@pytest.mark.parametrize("op", ["QGemm", "QLinearMatMul"])
def test_an_integer_operator_ends_in_the_grid_that_it_names_last(op: str) -> None:
    integer = graph(node(op, ["image", "a", "b", "w", "c", "d", "s", "z"], ["scores"]))
    assert grid_of_output(integer, "scores") == GRID


def test_a_scale_may_stand_in_a_node_and_the_zero_point_be_left_out() -> None:
    scale = node("Constant", [], ["t"], value=numpy_helper.from_array(np.array(0.25, np.float32)))
    in_a_node = graph(scale, node("DequantizeLinear", ["image", "t"], ["scores"]))
    assert grid_of_input(in_a_node, "image") == Quantization((0.25,), (0,))


def test_a_scale_that_is_computed_is_none_of_the_file() -> None:
    computed = graph(node("Abs", ["s"], ["t"]), node("DequantizeLinear", ["image", "t", "z"], ["scores"]))
    assert grid_of_input(computed, "image") is None


def test_a_scale_for_each_channel_has_an_axis() -> None:
    scales = np.array([0.5, 0.25], np.float32)
    per_channel = graph(
        node("DequantizeLinear", ["image", "s", "z"], ["scores"]), s=scales, z=np.zeros(2, np.uint8)
    )
    assert grid_of_input(per_channel, "image") == Quantization((0.5, 0.25), (0, 0), 1)


def test_an_end_that_is_no_tensor_is_a_key_error() -> None:
    odd = graph(node("Identity", ["image"], ["scores"]))
    odd.input.append(helper.make_tensor_sequence_value_info("more", TensorProto.FLOAT, None))
    with pytest.raises(KeyError):
        ends_of(odd)
