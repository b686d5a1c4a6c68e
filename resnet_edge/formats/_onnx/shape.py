"""Changes of shape, and the border between float and integer numbers."""

from __future__ import annotations

import numpy as np

from resnet_edge.formats._onnx.builder import NCHW, NHWC, Builder, NotLowered
from resnet_edge.formats._onnx.layout import axis_here, from_portable_order, in_portable_order, reshaped
from resnet_edge.graph.model import Node
from resnet_edge.graph.quantization.grids import MOVES

FAR = 2**31 - 1
"""Behind the end of every axis."""


def reshape(b: Builder, node: Node) -> None:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: the same elements in the order of the portable graph."""
    source, output = node.inputs[0], node.outputs[0]
    before, after = b.shape(source), b.shape(output)
    hint, value = b.name(output), b.value(source)
    if len(before) == 4 and before[1:3] != (1, 1):
        value = b.node("Transpose", [value], hint, perm=NHWC)
    sizes = [-1 if size is None else size for size in after]
    if sizes.count(-1) > 1:
        raise NotLowered(f"a reshape to {after} at {hint!r}")
    value = b.node("Reshape", [value, b.initializer(np.asarray(sizes, np.int64), f"{hint}_shape")], hint)
    if len(after) == 4:
        value = b.node("Transpose", [value], hint, perm=NCHW)
    b.define(output, value)


def transpose(b: Builder, node: Node) -> None:
    """TRANSPOSE; of an image: from this layout to that of the portable graph, there, and back."""
    order = [int(axis) for axis in b.constant(node.inputs[1])]
    if len(order) == 4:
        order = [NHWC[order[axis]] for axis in NCHW]
    b.define(
        node.outputs[0], b.node("Transpose", [b.value(node.inputs[0])], b.name(node.outputs[0]), perm=order)
    )


def strided_slice(b: Builder, node: Node) -> None:
    """STRIDED_SLICE, as in the shortcuts without parameters of He et al. (option A); an axis of which one
    index is taken may be left out of the result."""
    o, output = node.options, node.outputs[0]
    hint, source = b.name(output), node.inputs[0]
    if o["ellipsisMask"] or o["newAxisMask"]:
        raise NotLowered(f"no lowering of STRIDED_SLICE with new axes at {hint!r}")
    begins, ends, steps = (b.constant(index).tolist() for index in node.inputs[1:4])
    for axis, step in enumerate(steps):
        if o["beginMask"] >> axis & 1:
            begins[axis] = 0 if step > 0 else FAR
        if o["endMask"] >> axis & 1:
            ends[axis] = FAR if step > 0 else -FAR
        if o["shrinkAxisMask"] >> axis & 1:
            ends[axis], steps[axis] = begins[axis] + 1 or FAR, 1
    value = _slice(b, node, begins, ends, steps)
    if o["shrinkAxisMask"]:
        value = reshaped(b, in_portable_order(b, source, value), b.shape(output), hint)
        value = from_portable_order(b, value, len(b.shape(output)), hint)
    b.define(output, value)


def slice_(b: Builder, node: Node) -> None:
    """SLICE: begins and sizes, where -1 is all the rest."""
    begins, sizes = (b.constant(index).tolist() for index in node.inputs[1:3])
    ends = [FAR if size < 0 else begin + size for begin, size in zip(begins, sizes, strict=True)]
    b.define(node.outputs[0], _slice(b, node, begins, ends, [1] * len(begins)))


def _slice(b: Builder, node: Node, begins: list[int], ends: list[int], steps: list[int]) -> str:
    hint, rank = b.name(node.outputs[0]), len(b.shape(node.inputs[0]))
    axes = [axis_here(axis, rank) for axis in range(len(begins))]
    bounds = [b.initializer(np.asarray(v, np.int64), f"{hint}_slice") for v in (begins, ends, axes, steps)]
    return b.node("Slice", [b.value(node.inputs[0]), *bounds], hint)


def concatenation(b: Builder, node: Node) -> None:
    """CONCATENATION."""
    rank = len(b.shape(node.outputs[0]))
    axis = axis_here(int(node.options["axis"]), rank)
    joined = b.node("Concat", [b.value(i) for i in node.inputs], b.name(node.outputs[0]), axis=axis)
    b.define(node.outputs[0], joined, b.limits(node))


def quantize(b: Builder, node: Node) -> None:
    """QUANTIZE, also between two grids."""
    source, output = node.inputs[0], node.outputs[0]
    if source in b.graph.inputs and b.tensor(source).dtype == "float32":
        b.define_exact(output, entering(b, b.name(source), output))
    else:
        b.define(output, b.value(source))


def entering(b: Builder, raw: str, index: int) -> str:
    """The raw input, rounded to the grid of `index`."""
    return b.entered(b.node("QuantizeLinear", [raw, *b.grid(index)], b.name(index)), index)


def dequantize(b: Builder, node: Node) -> None:
    """DEQUANTIZE: values are real numbers here already. ONNX Runtime moves a DequantizeLinear behind
    operations that only move numbers, where a float layer may read it (Builder.apart), and makes a softmax
    between integers one of integers, which the portable graph keeps in float
    (graph/quantization/quantize.py)."""
    source, output = node.inputs[0], node.outputs[0]
    apart = any(reader.op in MOVES or _between_integers(b, reader) for reader in b.readers(output))
    b.define_exact(output, b.apart(source) if apart else b.value(source))


def _between_integers(b: Builder, node: Node) -> bool:
    """Whether it is a softmax inside the graph whose outputs are rounded. One at the end may be of integers:
    runtimes agree on it, and some make it one whatever its input looks like."""
    rounded = [reader for reader in b.readers(node.outputs[0]) if reader.op == "QUANTIZE"]
    ends = set(b.graph.outputs)
    return node.op == "SOFTMAX" and any(not ends.intersection(reader.outputs) for reader in rounded)


HANDLERS = {
    "RESHAPE": reshape,
    "SQUEEZE": reshape,
    "EXPAND_DIMS": reshape,
    "TRANSPOSE": transpose,
    "STRIDED_SLICE": strided_slice,
    "SLICE": slice_,
    "CONCATENATION": concatenation,
    "QUANTIZE": quantize,
    "DEQUANTIZE": dequantize,
}
