"""Values of a lowering, run in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from resnet_edge.core.artifact import Quantization
from resnet_edge.formats._onnx.builder import Builder, Limits, NotLowered
from resnet_edge.graph.model import Graph, Node, Tensor

GRID = Quantization((0.5,), (-28,))
X = np.array([[-99.0, -3.3, -0.2, 0.0, 0.26, 0.74, 5.0, 6.1, 99.0]], np.float32)


def tensor(
    name: str, dtype: str = "float32", quantization: Quantization | None = None, data: Any = None
) -> Tensor:
    shape = (1, 9) if data is None else data.shape
    return Tensor(name=name, shape=shape, dtype=dtype, data=data, quantization=quantization)


def builder(*tensors: Tensor, node: Node | None = None, real: str = "float32") -> Builder:
    return Builder(Graph(tensors, () if node is None else (node,), (0,), (0,)), real)


def run(b: Builder, value: str) -> NDArray[Any]:
    """What a value is for X, which is called x."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", value)]
    graph = helper.make_graph(b.nodes, "net", ends[:1], ends[1:], b.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    output: NDArray[Any] = session.run(None, {"x": X})[0]
    return output


@pytest.mark.parametrize("limits", [(None, None), (0.0, None), (0.0, 6.0), (-1.0, 1.0)])
@pytest.mark.parametrize("quantized", [True, False])
def test_numbers_are_rounded_to_their_grid_and_kept_within_limits(limits: Limits, quantized: bool) -> None:
    b = builder(tensor("y", "int8", GRID) if quantized else tensor("y"))
    b.define(0, "x", limits)
    low, high = (-np.inf if limits[0] is None else limits[0]), (np.inf if limits[1] is None else limits[1])
    wanted = np.clip(X, low, high)
    if quantized:  # -50 to 77.5; TFLite's kernels limit after rounding, and these ends are on the grid
        wanted = np.clip(np.clip(np.rint(X / 0.5) * 0.5, -50, 77.5), low, high)
    np.testing.assert_allclose(run(b, b.value(0)), wanted, atol=1e-6)


def test_int8_is_stored_as_uint8_that_stands_for_the_same_numbers() -> None:
    b = builder(tensor("y", "int8", GRID), tensor("z", "uint8", Quantization((0.5,), (100,))))
    for index in (0, 1):
        b.define(index, "x")
        np.testing.assert_allclose(run(b, b.value(index)), np.clip(np.rint(X * 2) / 2, -50, 77.5))
    zeros = [c for c in b.initializers if "zero_point" in c.name]
    assert {c.data_type for c in zeros} == {TensorProto.UINT8}
    assert {int(onnx.numpy_helper.to_array(c)) for c in zeros} == {100}


def test_constants_keep_their_integers() -> None:
    data = np.array([[-5, 7]], np.int8)
    b = builder(tensor("c", "int8", Quantization((0.5, 0.25), (0, 0), 1), data))
    np.testing.assert_allclose(run(b, b.stored_constant(0, data, axis=1)), [[-2.5, 1.75]])
    stored = next(c for c in b.initializers if c.name == "c")
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(stored), data)


def test_an_operand_of_arithmetic_is_uint8_and_the_same() -> None:
    data = np.array([[-128, 127]], np.int8)
    b = builder(tensor("c", "int8", Quantization((0.5,), (3,)), data))
    np.testing.assert_allclose(run(b, b.value(0)), [[-65.5, 62.0]])
    assert onnx.numpy_helper.to_array(b.initializers[0]).tolist() == [[0, 255]]


def test_what_stays_in_float_has_a_scale_for_each_slice() -> None:
    """That ONNX Runtime, which looks for a scalar, leaves the layer behind it alone."""
    b = builder(tensor("y", "int8", GRID))
    b.define(0, "x")
    np.testing.assert_allclose(run(b, b.apart(0)), run(b, b.value(0)))
    scales = next(c for c in b.initializers if c.name.startswith("y_scales"))
    assert onnx.numpy_helper.to_array(scales).tolist() == [0.5] * 9


def test_a_move_is_of_the_integers_behind_a_value() -> None:
    b = builder(tensor("y", "int8", GRID))
    b.define(0, "x")
    moved = b.moved(b.value(0), lambda value: b.node("Transpose", [value], "move", perm=[1, 0]))
    assert [node.op_type for node in b.nodes][-2:] == ["Transpose", "DequantizeLinear"]
    np.testing.assert_allclose(run(b, moved), run(b, b.value(0)).T)
    assert b.moved("x", lambda value: f"{value} moved") == "x moved"


def test_no_two_values_have_one_name() -> None:
    b = builder(tensor("y;fused"))
    assert len({b.node("Relu", ["x"], "a") for _ in range(3)}) == 3
    assert b.name(0) == "y"


def test_no_limit_in_float16_is_infinity() -> None:
    b = builder(tensor("most", data=np.array([1e30], np.float32)), real="float16")
    b.value(0)
    assert np.isinf(onnx.numpy_helper.to_array(b.initializers[0])).all()


def test_what_is_not_lowered_is_named() -> None:
    node = Node("TOPK_V2", (0,), (1,), {"fusedActivationFunction": 5})
    b = builder(tensor("x"), tensor("top"), tensor("wide", "int16", GRID), node=node)
    with pytest.raises(NotLowered, match="no lowering of TOPK_V2 at 'top'"):
        b.value(1)
    with pytest.raises(NotLowered, match="no lowering of a second input at 'x'"):
        b.value(0)
    with pytest.raises(NotLowered, match="'top' must be a constant"):
        b.constant(1)
    with pytest.raises(NotLowered, match="activation 'wide' is int16, not int8 or uint8 per tensor"):
        b.grid(2)
    with pytest.raises(NotLowered, match="fused activation 5 at 'top'"):
        b.limits(node)


def test_a_constant_with_several_scales_needs_an_axis() -> None:
    data = np.array([[-5, 7]], np.int8)
    b = builder(tensor("c", "int8", Quantization((0.5, 0.25), (0, 0), 1), data))
    with pytest.raises(NotLowered, match="'c' is quantized per channel where one scale is needed"):
        b.stored_constant(0, data)
