"""ONNX graphs in float16 as graphs in float32, with the constants that they store: what kernels round on
their way, or add up in float16, differs by processor, and is no part of the file.

ONNX Runtime's CPU computes most operators of such files in float32, between casts
(insert_cast_transformer.cc), and on some processors in float16.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import numpy_helper

HALF, SINGLE = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT


def without_halves(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, or a copy in float32, inputs and outputs as well; tensors keep their names."""
    if not _has_halves(model.graph):
        return model
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    _widen(copied.graph)
    return copied


def _has_halves(graph: onnx.GraphProto) -> bool:
    """Whether anything in it, or in a graph inside of it, is float16."""
    values = (*graph.input, *graph.output, *graph.value_info)
    if any(value.type.tensor_type.elem_type == HALF for value in values):
        return True
    if any(constant.data_type == HALF for constant in graph.initializer):
        return True
    return any(_is_half(attribute) for node in graph.node for attribute in node.attribute)


def _is_half(attribute: onnx.AttributeProto) -> bool:
    if attribute.type == onnx.AttributeProto.GRAPH:
        return _has_halves(attribute.g)
    return attribute.t.data_type == HALF or (attribute.name in TYPES and attribute.i == HALF)


TYPES = ("to", "dtype", "output_dtype", "stash_type")
"""Attributes that name a number type (onnx.ai/onnx/operators: Cast, RandomNormal, QuantizeLinear, ...)."""


def _widen(graph: onnx.GraphProto) -> None:
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == HALF:
            value.type.tensor_type.elem_type = SINGLE
    _widen_tensors(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _widen(attribute.g)
            elif attribute.type == onnx.AttributeProto.TENSOR:
                _widen_tensors([attribute.t])
            elif attribute.name in TYPES and attribute.i == HALF:
                attribute.i = SINGLE


def _widen_tensors(tensors: Iterable[onnx.TensorProto]) -> None:
    for tensor in tensors:
        if tensor.data_type == HALF:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
