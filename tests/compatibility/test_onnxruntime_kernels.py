"""Minimums that the operator set does not tell; each was seen on the releases before and at it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.compatibility.onnx import minimums
from resnet_edge.compatibility.onnxruntime_kernels import BY_TYPE
from resnet_edge.core.minimum import RuntimeMinimum

IR = {11: 6, 13: 7, 17: 8, 18: 8, 19: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 12}
KERNEL = np.ones((3, 3, 3, 3), np.float32)


def step(kind: str, *inputs: str, out: str = "y", **attributes: Any) -> onnx.NodeProto:
    proto: onnx.NodeProto = helper.make_node(kind, list(inputs), [out], **attributes)
    return proto


def of(nodes: list[onnx.NodeProto], opset: int = 17, **constants: Any) -> RuntimeMinimum:
    """Of an image x (1, 3, 4, 4) in float32."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = IR[opset]
    return minimums(model)[0]


def between(dtype: int, kind: str, *inputs: str, opset: int = 17, **given: Any) -> RuntimeMinimum:
    """One operator in a dtype."""
    cast, back = step("Cast", "x", out="c", to=dtype), step("Cast", "d", to=TensorProto.FLOAT)
    return of([cast, step(kind, "c", *inputs, out="d"), back], opset, **given)


def state_of(minimum: RuntimeMinimum) -> tuple[str, str]:
    return minimum.state, minimum.version


@pytest.mark.parametrize("kind", ["Elu", "HardSigmoid", "HardSwish", "Relu", "Selu", "Softplus"])
def test_in_float16_some_activations_end_onnxruntime_1_14(kind: str) -> None:
    minimum = between(TensorProto.FLOAT16, kind)
    assert state_of(minimum) == ("known", "1.15")
    assert "float16, on which 1.14 ends its process" in minimum.why
    assert state_of(of([step(kind, "x")])) == ("known", "1.12")


def test_in_float16_others_do_not() -> None:
    assert state_of(between(TensorProto.FLOAT16, "LeakyRelu")) == ("known", "1.12")
    assert state_of(between(TensorProto.FLOAT16, "Relu", opset=13)) == ("known", "1.6")


@pytest.mark.parametrize(
    ("kind", "opset", "version"),
    [
        ("AveragePool", 18, "1.14"),
        ("AveragePool", 19, "1.16"),
        ("Identity", 19, "1.16"),
        ("Relu", 19, "1.15"),
        ("GlobalLpPool", 21, "1.18"),
        ("GlobalLpPool", 22, ""),
        ("LpNormalization", 22, "1.25"),
        ("Swish", 24, "1.24"),
        ("Swish", 25, ""),
    ],
)
def test_kernels_that_came_later_than_the_operator(kind: str, opset: int, version: str) -> None:
    node = step(kind, "x", kernel_shape=[2, 2]) if kind == "AveragePool" else step(kind, "x")
    assert state_of(of([node], opset)) == ("known" if version else "never", version)


def test_a_pair_of_the_newest_sets() -> None:
    pair = [step("QuantizeLinear", "x", "s", "z", out="q"), step("DequantizeLinear", "q", "s", "z")]
    for opset, version in ((18, "1.14"), (19, "1.16"), (21, "1.18"), (23, "1.24")):
        assert of(pair, opset, s=np.float32(0.1), z=np.int8(0)).version == version


@pytest.mark.parametrize(
    ("dtype", "kind", "state", "version"),
    [
        (TensorProto.INT8, "Max", "known", "1.24"),
        (TensorProto.UINT8, "Add", "known", "1.21"),
        (TensorProto.INT8, "ReduceMax", "known", "1.12"),
        (TensorProto.INT32, "Add", "known", "1.12"),
        (TensorProto.DOUBLE, "Conv", "never", ""),
        (TensorProto.INT32, "Conv", "never", ""),
        (TensorProto.DOUBLE, "Sigmoid", "known", "1.12"),
        (TensorProto.DOUBLE, "Erf", "at least", "1.12"),
        (TensorProto.UINT16, "MaxPool", "never", ""),
    ],
)
def test_types(dtype: int, kind: str, state: str, version: str) -> None:
    second = {"Conv": ("w",), "Add": ("v",), "Max": ("v",)}.get(kind, ())
    as_stored = helper.tensor_dtype_to_np_dtype(dtype)
    minimum = between(dtype, kind, *second, w=KERNEL.astype(as_stored), v=np.ones(1, as_stored))
    assert state_of(minimum) == (state, version)
    if state == "at least":
        assert "which releases compute Erf in float64 is not known" in minimum.why


def test_every_late_type_is_one_that_onnx_has() -> None:
    for name, dtype in BY_TYPE:
        allowed = onnx.defs.get_schema(name, 22, "").inputs[0].types
        assert f"tensor({'double' if dtype == 'float64' else dtype})" in allowed


def test_options_that_older_releases_do_not_take() -> None:
    assert of([step("Reshape", "x", "n", allowzero=1)], 17, n=np.array([1, -1])).version == "1.12"
    assert of([step("ReduceMean", "x", noop_with_empty_axes=1)], 18).version == "1.24"
    quantized = [step("QuantizeLinear", "x", "s", out="q"), step("DequantizeLinear", "q", "s")]
    assert of(quantized, 11, s=np.float32(0.1)).version == "1.11"


def test_what_is_no_operator_of_its_set_is_not_promised() -> None:
    for kind, opset in (("Celu", 11), ("SpaceToBatchND", 17)):
        minimum = of([step(kind, "x")], opset)
        assert state_of(minimum) == ("unknown", "")
        assert f"{kind} is no operator of ONNX's set {opset}" in minimum.why
