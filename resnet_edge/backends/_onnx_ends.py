"""The scale and zero point at the two ends of an ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from resnet_edge.core.artifact import Quantization

MOVING = frozenset({"Transpose", "Identity", "Reshape", "Flatten", "Squeeze"})
"""Operators that change no number."""


def ends(path: Path, image: str, scores: str) -> tuple[Quantization | None, Quantization | None]:
    """Quantization of the DequantizeLinear that reads `image` and of the node that writes `scores`,
    also behind operators that only move numbers.

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
    return _affine(_reader(graph, image), constants), _affine(_writer(graph, scores), constants)


def _reader(graph: onnx.GraphProto, name: str) -> Sequence[str]:
    """Scale and zero point by which the graph takes the input `name`."""
    names = {name}
    for node in graph.node:  # in the order of execution
        if node.op_type == "DequantizeLinear" and node.input[0] in names:
            return list(node.input[1:3])
        if node.op_type in MOVING and node.input[0] in names:
            names.update(node.output)
    return ()


def _writer(graph: onnx.GraphProto, name: str) -> Sequence[str]:
    """Scale and zero point by which the graph gives the output `name`."""
    for node in reversed(graph.node):
        if name not in node.output:
            continue
        if node.op_type == "QuantizeLinear":
            return list(node.input[1:3])
        if node.op_type in ("QLinearMatMul", "QGemm"):
            return list(node.input[-2:])
        if node.op_type not in MOVING:
            return ()
        name = node.input[0]
    return ()


def _affine(operands: Sequence[str], constants: dict[str, onnx.TensorProto]) -> Quantization | None:
    if not operands or operands[0] not in constants:
        return None  # a scale that the graph computes is no property of the file
    scale = np.atleast_1d(numpy_helper.to_array(constants[operands[0]]))
    point = np.zeros(scale.shape, np.int64)
    if len(operands) > 1 and operands[1] in constants:
        point = np.atleast_1d(numpy_helper.to_array(constants[operands[1]]))
    axis = 1 if scale.size > 1 else None
    return Quantization(tuple(map(float, scale)), tuple(map(int, point)), axis)
