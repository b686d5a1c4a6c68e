"""The scale and zero point at the two ends of an ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from resnet_edge.core.artifact import Quantization


def ends(path: Path, image: str, scores: str) -> tuple[Quantization | None, Quantization | None]:
    """Quantization of the DequantizeLinear that reads `image` and of the node that writes `scores`.

    The writer may be a QuantizeLinear or an integer operator of ONNX Runtime whose last two
    operands are the output's scale and zero point (QLinearMatMul, QGemm).
    """
    graph = onnx.load(str(path), load_external_data=False).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    constants |= {
        node.output[0]: node.attribute[0].t
        for node in graph.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }
    readers = [node for node in graph.node if image in node.input and node.op_type == "DequantizeLinear"]
    writers = [node for node in graph.node if scores in node.output]
    behind = _affine(readers[0].input[1:3], constants) if readers else None
    before = None
    if writers and writers[0].op_type == "QuantizeLinear":
        before = _affine(writers[0].input[1:3], constants)
    elif writers and writers[0].op_type in ("QLinearMatMul", "QGemm"):
        before = _affine(writers[0].input[-2:], constants)
    return behind, before


def _affine(operands: Sequence[str], constants: dict[str, onnx.TensorProto]) -> Quantization | None:
    if not operands or operands[0] not in constants:
        return None  # a scale that the graph computes is no property of the file
    scale = np.atleast_1d(numpy_helper.to_array(constants[operands[0]]))
    point = np.zeros(scale.shape, np.int64)
    if len(operands) > 1 and operands[1] in constants:
        point = np.atleast_1d(numpy_helper.to_array(constants[operands[1]]))
    axis = 1 if scale.size > 1 else None
    return Quantization(tuple(map(float, scale)), tuple(map(int, point)), axis)
