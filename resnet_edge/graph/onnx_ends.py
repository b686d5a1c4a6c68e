"""The scale and zero point at the two ends of an ONNX graph.

ONNX has no such field on a value: they are those of the DequantizeLinear behind an input and
of the QuantizeLinear before an output. Needs the package onnx and nothing heavier.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from resnet_edge.core.artifact import Quantization

MOVING = frozenset({"Transpose", "Identity", "Reshape", "Flatten", "Squeeze"})
"""Operators that change no number: the search goes through them."""


def grid_of_input(graph: onnx.GraphProto, name: str) -> Quantization | None:
    """By which the graph takes the integers of the input `name`; None where it does not say."""
    names = {name}
    for node in graph.node:  # in the order of execution
        if node.op_type == "DequantizeLinear" and node.input[0] in names:
            return _quantization(graph, node.input[1:3])
        if node.op_type in MOVING and node.input[0] in names:
            names.update(node.output)
    return None


def grid_of_output(graph: onnx.GraphProto, name: str) -> Quantization | None:
    """By which the graph gives the integers of the output `name`; None where it does not say.

    The writer may be a QuantizeLinear or an integer operator of ONNX Runtime whose last two
    operands are the output's scale and zero point (QLinearMatMul, QGemm).
    """
    for node in reversed(graph.node):
        if name not in node.output:
            continue
        if node.op_type == "QuantizeLinear":
            return _quantization(graph, node.input[1:3])
        if node.op_type in ("QLinearMatMul", "QGemm"):
            return _quantization(graph, node.input[-2:])
        if node.op_type not in MOVING:
            return None
        name = node.input[0]
    return None


def _quantization(graph: onnx.GraphProto, operands: Sequence[str]) -> Quantization | None:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    constants |= {
        node.output[0]: node.attribute[0].t
        for node in graph.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }
    if not operands or operands[0] not in constants:
        return None  # a scale that the graph computes is no property of the file
    scale = np.atleast_1d(numpy_helper.to_array(constants[operands[0]]))
    point = np.zeros(scale.shape, np.int64)
    if len(operands) > 1 and operands[1] in constants:
        point = np.atleast_1d(numpy_helper.to_array(constants[operands[1]]))
    axis = 1 if scale.size > 1 else None
    return Quantization(tuple(map(float, scale)), tuple(map(int, point)), axis)
