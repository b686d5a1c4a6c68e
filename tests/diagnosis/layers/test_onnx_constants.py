"""Scales of ONNX files, of constants and of activations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.diagnosis.layers.onnx_steps import open_onnx


def test_an_activation_with_a_scale_for_each_channel_is_read(tmp_path: Path) -> None:
    """How many axes it has is not known here."""
    scales = np.array([0.1, 0.2, 0.3], np.float32)
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "scales", "zeros"], ["q"], axis=1),
        helper.make_node("DequantizeLinear", ["q", "scales", "zeros"], ["back"], axis=1),
        helper.make_node("Relu", ["back"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "each",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(scales, "scales"), numpy_helper.from_array(np.zeros(3, np.int8), "zeros")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    onnx.save(model, str(tmp_path / "each.onnx"))
    opened = open_onnx(tmp_path / "each.onnx")
    assert [step.op for step in opened.steps] == ["quantizelinear", "dequantizelinear", "relu"]
    grid = opened.grids["q"]
    assert (round(grid.low, 4), round(grid.high, 4), round(grid.step, 4)) == (-38.4, 38.1, 0.3)
