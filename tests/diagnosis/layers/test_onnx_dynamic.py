"""Graphs that quantize their images anew, as graphs of rounded weights, beside ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from resnet_edge.diagnosis.layers.onnx_dynamic import without_dynamic_scales
from tests.diagnosis.layers.onnx_files import given, model_of

RANDOM = np.random.default_rng(3)
SCALE = np.float32(0.02)


def dynamic(layer: str, kernel: Any, image: list[int], scores: list[int], **options: Any) -> onnx.ModelProto:
    """One layer as quantize_dynamic writes it."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["image"], ["q", "q_scale", "q_zero"]),
        helper.make_node("Mul", ["q_scale", "kernel_scale"], ["both_scales"]),
        helper.make_node(layer, ["q", "kernel", "q_zero", "kernel_zero"], ["sums"], **options),
        helper.make_node("Cast", ["sums"], ["real_sums"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["real_sums", "both_scales"], ["scores"]),
    ]
    constants = {"kernel": kernel, "kernel_scale": SCALE, "kernel_zero": np.int8(0)}
    return model_of(nodes, constants, image, scores)


KERNEL = RANDOM.integers(-127, 128, (4, 3, 3, 3), np.int8)
CONV = dynamic("ConvInteger", KERNEL, [1, 3, 6, 6], [1, 4, 6, 6], pads=[1, 1, 1, 1])
MATMUL = dynamic("MatMulInteger", RANDOM.integers(-127, 128, (6, 4), np.int8), [2, 6], [2, 4])


@pytest.mark.parametrize(("model", "layer"), [(CONV, "Conv"), (MATMUL, "MatMul")], ids=["conv", "matmul"])
def test_what_is_left_is_what_the_image_itself_rounds(model: onnx.ModelProto, layer: str) -> None:
    rewritten = without_dynamic_scales(model)
    assert [node.op_type for node in rewritten.graph.node] == ["DequantizeLinear", layer]
    shape = [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim]
    image = RANDOM.uniform(-1, 1, shape).astype(np.float32)
    truth, outputs = given(model, image), given(rewritten, image)
    assert np.abs(outputs - truth).max() < 0.02 * np.abs(truth).max()  # 8 bits of the image
    # an image that is all on its grid, from 0 to 255 in steps of 1, is not rounded at all
    whole = RANDOM.integers(0, 256, shape).astype(np.float32)
    whole.ravel()[:2] = 0, 255
    np.testing.assert_allclose(given(rewritten, whole), given(model, whole), rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("layer", ["Conv", "MatMul"])
def test_scales_of_each_output(layer: str) -> None:
    """Along the axis of its outputs, which is another in each."""
    model = onnx.ModelProto()
    model.CopyFrom(CONV if layer == "Conv" else MATMUL)
    scales = np.array([0.01, 0.02, 0.04, 0.03], np.float32)
    other: dict[str, Any] = {"kernel_scale": scales, "kernel_zero": np.zeros(4, np.int8)}
    for constant in model.graph.initializer:
        if constant.name in other:
            constant.CopyFrom(onnx.numpy_helper.from_array(other[constant.name], constant.name))
    rewritten = without_dynamic_scales(model)
    shape = [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim]
    image = RANDOM.uniform(-1, 1, shape).astype(np.float32)
    kernel = next(onnx.numpy_helper.to_array(c) for c in model.graph.initializer if c.name == "kernel")
    weights = kernel * (scales.reshape(4, 1, 1, 1) if layer == "Conv" else scales)
    options: dict[str, Any] = {"pads": [1] * 4} if layer == "Conv" else {}
    node = helper.make_node(layer, ["image", "w"], ["scores"], **options)
    whole = model_of([node], {"w": weights.astype(np.float32)}, shape, ["n"] * len(shape))
    np.testing.assert_allclose(given(rewritten, image), given(whole, image), rtol=1e-4, atol=1e-4)


def test_a_kernel_that_is_computed_stays() -> None:
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["image"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "q", "z", "z"], ["sums"]),
        helper.make_node("Cast", ["sums"], ["scores"], to=onnx.TensorProto.FLOAT),
    ]
    rewritten = without_dynamic_scales(model_of(nodes, {}, [4, 4], [4, 4]))
    assert [node.op_type for node in rewritten.graph.node] == ["MatMulInteger", "Cast"]


def test_a_model_without_such_layers_is_itself() -> None:
    model = model_of([helper.make_node("Relu", ["image"], ["scores"])], {}, [1, 2], [1, 2])
    assert without_dynamic_scales(model) is model
