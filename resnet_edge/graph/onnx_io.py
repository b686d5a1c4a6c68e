"""The two ends of an ONNX graph: their names, sizes, types, scale and zero point.

ONNX has no field on a value for the last two: they are those of the DequantizeLinear behind an input and
of the QuantizeLinear before an output. Needs the package onnx and nothing heavier.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from resnet_edge.core.artifact import Quantization, TensorSpec

MOVING = frozenset({"Transpose", "Identity", "Reshape", "Flatten", "Squeeze"})
"""Operators that change no number: the search goes through them."""


def ends_of(graph: onnx.GraphProto) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs. Raises KeyError where one is no tensor of a known type."""
    constants = {constant.name for constant in graph.initializer}
    entries = [e for e in graph.input if e.name not in constants]  # files before IR 4 list both
    inputs = tuple(_spec(entry, grid_of_input(graph, entry.name)) for entry in entries)
    return inputs, tuple(_spec(end, grid_of_output(graph, end.name)) for end in graph.output)


def _spec(info: onnx.ValueInfoProto, quantization: Quantization | None) -> TensorSpec:
    kind = info.type.tensor_type
    sizes = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
    return TensorSpec(info.name, sizes, str(helper.tensor_dtype_to_np_dtype(kind.elem_type)), quantization)


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
