"""Padding and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.formats._onnx.builder import NCHW, Builder
from resnet_edge.formats._onnx.convolution import SAME, same_pads
from resnet_edge.graph.model import Node


def pad(b: Builder, node: Node) -> None:
    """PAD with zeros: folded into the window operations that read it where that is exact."""
    amounts = b.constant(node.inputs[1])
    source, output = node.inputs[0], node.outputs[0]
    if len(amounts) != 4 or amounts[0].any() or amounts[3].any():
        _plain_pad(b, node, amounts)
        return
    (top, bottom), (left, right) = amounts[1].tolist(), amounts[2].tolist()
    readers = b.readers(output)
    same_grid = b.tensor(source).quantization == b.tensor(output).quantization
    if readers and same_grid and all(_folds(b, r, source, (top, left, bottom, right)) for r in readers):
        b.padded[output] = (source, (top, left, bottom, right))
    else:
        _plain_pad(b, node, amounts)


def _folds(b: Builder, reader: Node, source: int, pads: tuple[int, int, int, int]) -> bool:
    """A convolution pads with zeros itself. Max-pooling pads with minus infinity, which is
    the same where nothing is below zero and every window holds a real pixel."""
    if reader.options.get("padding", SAME) == SAME:
        return False
    if reader.op == "MAX_POOL_2D":
        smallest = min(reader.options["filterHeight"], reader.options["filterWidth"])
        return max(pads) < smallest and _never_negative(b, source)
    return reader.op in ("CONV_2D", "DEPTHWISE_CONV_2D")


def _never_negative(b: Builder, index: int) -> bool:
    quantization = b.tensor(index).quantization
    if quantization is not None and b.tensor(index).dtype == "int8":
        return quantization.zero_point[0] == -128
    makers = [node for node in b.graph.nodes if index in node.outputs]
    return bool(makers) and (
        makers[0].op in ("RELU", "RELU6", "RELU_0_TO_1")
        or makers[0].options.get("fusedActivationFunction") in (1, 3)
    )


def pad_with(b: Builder, node: Node) -> None:
    """PADV2: with any constant."""
    amounts, filling = b.constant(node.inputs[1]), b.value(node.inputs[2])
    output = node.outputs[0]
    padded = b.node("Pad", [b.value(node.inputs[0]), _flat(b, amounts, output), filling], b.name(output))
    b.define(output, padded)


def _flat(b: Builder, amounts: NDArray[Any], output: int) -> str:
    """Begins, then ends, in the order of the lowering."""
    rows = amounts[list(NCHW)] if len(amounts) == 4 else amounts
    return b.initializer(rows.T.reshape(-1).astype(np.int64), f"{b.name(output)}_pads")


def _plain_pad(b: Builder, node: Node, amounts: NDArray[Any]) -> None:
    source, output = node.inputs[0], node.outputs[0]
    hint, flat = b.name(output), _flat(b, amounts, output)
    stored = b.stored(source)
    if stored is None or b.tensor(source).quantization != b.tensor(output).quantization:
        b.define(output, b.node("Pad", [b.value(source), flat], hint, mode="constant"))
    else:  # ONNX Runtime keeps a Pad between DequantizeLinear and QuantizeLinear in float
        padded = b.node("Pad", [stored, flat, b.grid(source)[1]], hint, mode="constant")
        b.define_exact(output, b.unstored(padded, output))


def _pool(b: Builder, node: Node, op: str, **attributes: Any) -> None:
    source, pads = b.padded.get(node.inputs[0], (node.inputs[0], (0, 0, 0, 0)))
    o = node.options
    kernel, strides = (o["filterHeight"], o["filterWidth"]), (o["strideH"], o["strideW"])
    if o["padding"] == SAME:
        pads = same_pads(b, source, kernel, strides)
    hint = b.name(node.outputs[0])
    pooled = b.node(
        op, [b.value(source)], hint, kernel_shape=kernel, strides=strides, pads=pads, **attributes
    )
    b.define(node.outputs[0], pooled, b.limits(node))


def max_pool_2d(b: Builder, node: Node) -> None:
    """MAX_POOL_2D."""
    _pool(b, node, "MaxPool")


def average_pool_2d(b: Builder, node: Node) -> None:
    """AVERAGE_POOL_2D: padding does not count."""
    _pool(b, node, "AveragePool", count_include_pad=0)


HANDLERS = {
    "PAD": pad,
    "PADV2": pad_with,
    "MAX_POOL_2D": max_pool_2d,
    "AVERAGE_POOL_2D": average_pool_2d,
}
