"""Padding, pooling and means."""

from __future__ import annotations

import numpy as np

from resnet_edge.formats._onnx.builder import Builder, NotLowered
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
    if all(_folds(b, reader, source, (top, left, bottom, right)) for reader in b.readers(output)):
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
    return bool(makers) and (makers[0].op == "RELU" or makers[0].options.get("fusedActivationFunction") in (1, 3))


def _plain_pad(b: Builder, node: Node, amounts: np.ndarray) -> None:
    rows = amounts[[0, 3, 1, 2]] if len(amounts) == 4 else amounts
    hint = b.name(node.outputs[0])
    flat = b.initializer(rows.T.reshape(-1).astype(np.int64), f"{hint}_pads")
    b.define(node.outputs[0], b.node("Pad", [b.value(node.inputs[0]), flat], hint, mode="constant"))


def _pool(b: Builder, node: Node, op: str, **attributes: int) -> None:
    source, pads = b.padded.get(node.inputs[0], (node.inputs[0], (0, 0, 0, 0)))
    o = node.options
    kernel, strides = (o["filterHeight"], o["filterWidth"]), (o["strideH"], o["strideW"])
    if o["padding"] == SAME:
        pads = same_pads(b, source, kernel, strides)
    hint = b.name(node.outputs[0])
    made = b.node(op, [b.value(source)], hint, kernel_shape=kernel, strides=strides, pads=pads, **attributes)
    b.define(node.outputs[0], b.activated(made, o["fusedActivationFunction"], node.outputs[0], hint))


def max_pool_2d(b: Builder, node: Node) -> None:
    """MAX_POOL_2D."""
    _pool(b, node, "MaxPool")


def average_pool_2d(b: Builder, node: Node) -> None:
    """AVERAGE_POOL_2D: padding does not count."""
    _pool(b, node, "AveragePool", count_include_pad=0)


def mean(b: Builder, node: Node) -> None:
    """MEAN over height and width, as GlobalAveragePool, which has an integer kernel."""
    axes = sorted(int(a) % 4 for a in np.atleast_1d(b.constant(node.inputs[1])))
    source, output = node.inputs[0], node.outputs[0]
    hint = b.name(output)
    if len(b.shape(source)) != 4 or axes != [1, 2]:
        raise NotLowered(f"a mean over axes {axes} at {hint!r}")
    made = b.node("GlobalAveragePool", [b.value(source)], hint)
    if not node.options["keepDims"]:
        # Rounded on both sides of Flatten, so that the pooling and the flattening each stand
        # between a DequantizeLinear and a QuantizeLinear and run on integers.
        made = b.node("Flatten", [b.rounded(made, output)], hint, axis=1)
    b.define(output, made)


HANDLERS = {
    "PAD": pad,
    "MAX_POOL_2D": max_pool_2d,
    "AVERAGE_POOL_2D": average_pool_2d,
    "MEAN": mean,
}
