"""Changes of shape, and the border between float and integer numbers."""

from __future__ import annotations

import math

import numpy as np

from resnet_edge.formats._onnx.builder import NCHW, NHWC, Builder
from resnet_edge.graph.model import Node


def reshape(b: Builder, node: Node) -> None:
    """RESHAPE, in the element order of the portable graph."""
    source, output = node.inputs[0], node.outputs[0]
    before, after = b.shape(source), b.shape(output)
    hint, value = b.name(output), b.value(source)
    if len(before) == 4 and math.prod(s or 1 for s in before[1:3]) != 1:
        value = b.node("Transpose", [value], hint, perm=NHWC)
    target = [0 if axis == 0 and before[0] == size else -1 if size is None else size for axis, size in enumerate(after)]
    if len(after) == 4:  # every NHWC order becomes NCHW again
        flat = b.initializer(np.asarray(target, np.int64), f"{hint}_shape")
        value = b.node("Reshape", [value, flat], hint)
        value = b.node("Transpose", [value], hint, perm=NCHW)
    else:
        flat = b.initializer(np.asarray(target, np.int64), f"{hint}_shape")
        value = b.node("Reshape", [value, flat], hint)
    b.define(output, value)


def concatenation(b: Builder, node: Node) -> None:
    """CONCATENATION."""
    rank = len(b.shape(node.outputs[0]))
    axis = int(node.options["axis"]) % rank
    here = (0, 2, 3, 1)[axis] if rank == 4 else axis
    hint = b.name(node.outputs[0])
    made = b.node("Concat", [b.value(i) for i in node.inputs], hint, axis=here)
    b.define(node.outputs[0], b.activated(made, node.options["fusedActivationFunction"], node.outputs[0], hint))


def quantize(b: Builder, node: Node) -> None:
    """QUANTIZE, also between two grids."""
    source, output = node.inputs[0], node.outputs[0]
    if source in b.graph.inputs and b.tensor(source).dtype == "float32":
        b.define_exact(output, entering(b, b.name(source), output))
    else:
        b.define(output, b.value(source))


def entering(b: Builder, raw: str, index: int) -> str:
    """The raw NHWC input, rounded to the grid of `index` before it is transposed: a quarter of
    the bytes to move."""
    stored = b.node("QuantizeLinear", [raw, *b.grid(index)], b.name(index))
    if len(b.shape(index)) == 4:
        stored = b.node("Transpose", [stored], b.name(index), perm=NCHW)
    return b.node("DequantizeLinear", [stored, *b.grid(index)], b.name(index))


def dequantize(b: Builder, node: Node) -> None:
    """DEQUANTIZE: values are real numbers here already."""
    b.define(node.outputs[0], b.value(node.inputs[0]))


HANDLERS = {
    "RESHAPE": reshape,
    "CONCATENATION": concatenation,
    "QUANTIZE": quantize,
    "DEQUANTIZE": dequantize,
}
