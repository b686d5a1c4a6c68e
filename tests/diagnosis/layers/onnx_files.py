"""ONNX models of a few nodes, and what ONNX Runtime gives for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]


def model_of(
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, Any],
    image: Shape,
    scores: Shape,
    *,
    contrib: bool = False,
) -> onnx.ModelProto:
    """From `image` to `scores`, both float32; `contrib`: with operators of ONNX Runtime's own."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, scores)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid("com.microsoft", 1)] if contrib else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def given(model: onnx.ModelProto, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """By ONNX Runtime, nothing fused."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs: NDArray[np.float32] = session.run(None, {"image": image})[0]
    return outputs
