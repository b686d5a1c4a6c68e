"""Dense layers in int16 on more than two axes, as layers on two and a RESHAPE.

Kernels for int16 take the first two axes of the output for the images and the outputs in some releases of
TensorFlow Lite, so that most of it is never written, without an error (graph/versions/needed.py has which).
The numbers are the same on two axes, and a RESHAPE costs nothing: it moves no data. This can go when nobody
has a release before 2.8, nor, for a scale for each output, before 2.19.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.interface import opcode_of

DENSE = schema.BuiltinOperator.FULLY_CONNECTED


def flatten_dense_layers(model: Any) -> int:
    """Rewrite them in a `schema.ModelT`, in place; how many there were. The tensor that a layer gave keeps
    its name and its place, and the RESHAPE gives it."""
    subgraph, done = model.subgraphs[0], 0
    for operator in list(subgraph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        output = subgraph.tensors[operator.outputs[0]] if len(operator.outputs) else None
        if max(code.builtinCode, code.deprecatedBuiltinCode) != DENSE or output is None:
            continue
        if output.type == schema.TensorType.INT16 and len(output.shape) > 2:
            _flatten(model, operator)
            done += 1
    return done


def _flatten(model: Any, dense: Any) -> None:
    subgraph, at = model.subgraphs[0], int(dense.outputs[0])
    output = subgraph.tensors[at]
    rows = deepcopy(output)
    rows.name, rows.buffer = _named(output, "rows"), 0
    rows.shape = [int(np.prod(output.shape[:-1])), int(output.shape[-1])]
    rows.shapeSignature = [-1, rows.shape[1]] if output.shapeSignature is not None else None
    subgraph.tensors.append(rows)
    dense.outputs = [len(subgraph.tensors) - 1]
    dense.builtinOptions.keepNumDims = False
    reshape = schema.OperatorT()
    reshape.opcodeIndex = opcode_of(model, schema.BuiltinOperator.RESHAPE)
    reshape.inputs = [dense.outputs[0], _shape(model, output)]
    reshape.outputs = [at]
    place = next(n for n, other in enumerate(subgraph.operators) if other is dense)
    subgraph.operators.insert(place + 1, reshape)


def _shape(model: Any, output: Any) -> int:
    """A constant with the shape of a tensor, of however many images; its index."""
    buffer, tensor = schema.BufferT(), schema.TensorT()
    sizes = np.array([-1, *output.shape[1:]], np.int32)
    buffer.data = np.frombuffer(sizes.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.name, tensor.type, tensor.shape = _named(output, "shape"), schema.TensorType.INT32, [len(sizes)]
    tensor.buffer = len(model.buffers) - 1
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _named(tensor: Any, part: str) -> bytes:
    name = tensor.name if isinstance(tensor.name, bytes) else str(tensor.name).encode()
    return name.split(b";")[0] + b"/" + part.encode()
