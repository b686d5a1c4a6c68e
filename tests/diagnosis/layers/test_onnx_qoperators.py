"""Integer operators in their newer form, beside ONNX Runtime running the older one."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from resnet_edge.diagnosis.layers.onnx_qoperators import with_real_operations
from tests.diagnosis.layers.onnx_files import given, model_of

RANDOM = np.random.default_rng(4)
IN, OUT = 0.02, 0.1
"""Scales of the image and of what comes out."""
ENDS = {
    "in_s": np.float32(IN), "in_z": np.uint8(128), "out_s": np.float32(OUT), "out_z": np.uint8(120),
    "w_s": np.float32(0.01), "w_z": np.int8(0),
}  # fmt: skip
QUANTIZE = helper.make_node("QuantizeLinear", ["image", "in_s", "in_z"], ["q"])
DEQUANTIZE = helper.make_node("DequantizeLinear", ["y", "out_s", "out_z"], ["scores"])


def built(
    nodes: list[onnx.NodeProto], image: list[int], scores: list[int], **constants: Any
) -> onnx.ModelProto:
    return model_of([QUANTIZE, *nodes, DEQUANTIZE], ENDS | constants, image, scores, contrib=True)


def own(op: str, *inputs: str, out: str = "y", **options: Any) -> onnx.NodeProto:
    """An operator of ONNX Runtime's own."""
    return helper.make_node(op, [*inputs], [out], domain="com.microsoft", **options)


KERNEL = RANDOM.integers(-127, 128, (4, 3, 3, 3), np.int8)
MATRIX = RANDOM.integers(-127, 128, (6, 4), np.int8)
BIAS = RANDOM.integers(-2000, 2000, 4, np.int32)
Q, W, Y = ("q", "in_s", "in_z"), ("w", "w_s", "w_z"), ("out_s", "out_z")
EACH = {"w_s": np.array([0.01, 0.02, 0.005, 0.03], np.float32), "w_z": np.zeros(4, np.int8)}
BELOW_ONE = {"out_s": np.float32(1 / 256), "out_z": np.uint8(0)}

MODELS = {
    "conv": built(
        [helper.make_node("QLinearConv", [*Q, *W, *Y, "b"], ["y"], pads=[1, 1, 1, 1])],
        [1, 3, 6, 6], [1, 4, 6, 6], w=KERNEL, b=BIAS,
    ),
    "conv with a scale for each output": built(
        [helper.make_node("QLinearConv", [*Q, *W, *Y, "b"], ["y"], strides=[2, 2])],
        [1, 3, 6, 6], [1, 4, 2, 2], w=KERNEL, b=BIAS, **EACH,
    ),
    "conv without a bias": built(
        [helper.make_node("QLinearConv", [*Q, *W, *Y], ["y"])], [1, 3, 6, 6], [1, 4, 4, 4], w=KERNEL
    ),
    "matmul": built([helper.make_node("QLinearMatMul", [*Q, *W, *Y], ["y"])], [2, 6], [2, 4], w=MATRIX),
    "gemm": built([own("QGemm", *Q, *W, "b", *Y)], [2, 6], [2, 4], w=MATRIX, b=BIAS),
    "gemm of a transposed matrix": built(
        [own("QGemm", *Q, *W, "b", *Y, transB=1)], [2, 6], [2, 4], w=MATRIX.T.copy(), b=BIAS, **EACH
    ),
    "add": built([own("QLinearAdd", *Q, *Q, *Y)], [2, 6], [2, 6]),
    "mul": built([own("QLinearMul", *Q, *Q, *Y)], [2, 6], [2, 6]),
    "sigmoid": built([own("QLinearSigmoid", *Q, *Y)], [2, 6], [2, 6], **BELOW_ONE),
    "leaky": built([own("QLinearLeakyRelu", *Q, *Y, alpha=0.2)], [2, 6], [2, 6]),
    "mean": built([own("QLinearGlobalAveragePool", *Q, *Y, channels_last=0)], [1, 3, 4, 4], [1, 3, 1, 1]),
    "average": built(
        [own("QLinearAveragePool", *Q, *Y, kernel_shape=[2, 2], channels_last=0)], [1, 3, 4, 4], [1, 3, 3, 3]
    ),
    "softmax": built(
        [own("QLinearSoftmax", *Q, *Y, axis=1, opset=13)],
        [2, 6], [2, 6], **BELOW_ONE,
    ),
    "concat": built([own("QLinearConcat", *Y, *Q, *Q, axis=1)], [2, 6], [2, 12]),
    "max on integers": built(
        [
            helper.make_node("MaxPool", ["q"], ["m"], kernel_shape=[2, 2]),
            helper.make_node("Flatten", ["m"], ["f"]),
            own("QLinearAdd", "f", *Q[1:], "f", *Q[1:], *Y),
        ],
        [1, 3, 3, 3], [1, 12],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_both_forms_give_the_same_to_a_step(name: str) -> None:
    model = MODELS[name]
    rewritten = with_real_operations(model)
    left = {node.op_type for node in rewritten.graph.node}
    assert not [op for op in left if op.startswith(("QLinear", "QGemm"))]
    shape = [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim]
    image = RANDOM.uniform(-2.5, 2.5, shape).astype(np.float32)
    truth, outputs = given(model, image), given(rewritten, image)
    step = next(onnx.numpy_helper.to_array(c) for c in model.graph.initializer if c.name == "out_s")
    assert len(np.unique(truth)) > 2
    assert np.abs(outputs - truth).max() <= 1.001 * step
    assert np.mean(outputs != truth) < 0.1  # halves may fall to either side


def test_gemm_may_give_real_numbers() -> None:
    nodes = [QUANTIZE, helper.make_node("QGemm", [*Q, *W, "b"], ["scores"], domain="com.microsoft")]
    constants = ENDS | {"w": MATRIX, "b": BIAS}
    model = model_of(nodes, constants, [2, 6], [2, 4], contrib=True)
    rewritten = with_real_operations(model)
    assert [node.op_type for node in rewritten.graph.node][-1] == "Gemm"
    image = RANDOM.uniform(-2.5, 2.5, (2, 6)).astype(np.float32)
    np.testing.assert_allclose(given(rewritten, image), given(model, image), rtol=1e-4, atol=1e-4)


def test_tensors_keep_their_names() -> None:
    rewritten = with_real_operations(MODELS["conv"])
    produced = {name for node in rewritten.graph.node for name in node.output}
    assert {"q", "y", "scores"} <= produced


def test_a_model_of_the_newer_form_is_itself() -> None:
    model = built([helper.make_node("Identity", ["q"], ["y"])], [1, 2], [1, 2])
    assert with_real_operations(model) is model
