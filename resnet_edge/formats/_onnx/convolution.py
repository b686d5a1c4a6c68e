"""Convolutions and dense layers."""

from __future__ import annotations

import numpy as np

from resnet_edge.formats._onnx.builder import Builder, NotLowered
from resnet_edge.graph.model import ABSENT, Node

SAME = 0


def conv_2d(b: Builder, node: Node) -> None:
    """CONV_2D: kernel OHWI here, OIHW in ONNX."""
    kernel = b.constant(node.inputs[1]).transpose(0, 3, 1, 2)
    channels = b.shape(node.inputs[0])[3]
    assert channels is not None
    _convolution(b, node, kernel, group=channels // kernel.shape[1], kernel_axis=0)


def depthwise_conv_2d(b: Builder, node: Node) -> None:
    """DEPTHWISE_CONV_2D: kernel 1HWO here, O1HW in ONNX."""
    kernel = b.constant(node.inputs[1]).transpose(3, 0, 1, 2)
    channels = b.shape(node.inputs[0])[3]
    assert channels is not None
    _convolution(b, node, kernel, group=channels, kernel_axis=0)


def _convolution(b: Builder, node: Node, kernel: np.ndarray, group: int, kernel_axis: int) -> None:
    source, explicit = b.padded.get(node.inputs[0], (node.inputs[0], (0, 0, 0, 0)))
    o = node.options
    strides, dilations = (o["strideH"], o["strideW"]), (o["dilationHFactor"], o["dilationWFactor"])
    pads = explicit
    if o["padding"] == SAME:
        if any(explicit):
            raise NotLowered("a padded tensor under a convolution with SAME padding")
        pads = same_pads(b, node.inputs[0], kernel.shape[2:], strides, dilations)
    hint = b.name(node.outputs[0])
    inputs = [b.value(source), b.stored_constant(node.inputs[1], kernel, axis=kernel_axis)]
    if len(node.inputs) > 2 and node.inputs[2] != ABSENT:
        inputs.append(b.stored_constant(node.inputs[2], b.constant(node.inputs[2]), axis=0))
    made = b.node(
        "Conv",
        inputs,
        hint,
        kernel_shape=kernel.shape[2:],
        strides=strides,
        dilations=dilations,
        pads=pads,
        group=group,
    )
    b.define(node.outputs[0], b.activated(made, o["fusedActivationFunction"], node.outputs[0], hint))


def same_pads(
    b: Builder, source: int, kernel: tuple[int, ...], strides: tuple[int, int], dilations: tuple[int, int] = (1, 1)
) -> tuple[int, int, int, int]:
    """TensorFlow's SAME padding as (top, left, bottom, right): the odd pixel goes to the end."""
    begin, end = [], []
    for size, k, stride, dilation in zip(b.shape(source)[1:3], kernel, strides, dilations, strict=True):
        if size is None:
            raise NotLowered("SAME padding of an image of unknown size")
        reach = (k - 1) * dilation + 1
        total = max(0, (-(-size // stride) - 1) * stride + reach - size)
        begin.append(total // 2)
        end.append(total - total // 2)
    return begin[0], begin[1], end[0], end[1]


def fully_connected(b: Builder, node: Node) -> None:
    """FULLY_CONNECTED: weights (out, in) here, (in, out) in Gemm."""
    rank = len(b.shape(node.inputs[0]))
    if rank not in (2, 4) or node.options.get("weightsFormat"):
        raise NotLowered(f"a dense layer on a tensor of rank {rank}")
    hint = b.name(node.outputs[0])
    weights = b.constant(node.inputs[1]).T
    source = b.value(node.inputs[0])
    if rank == 4:  # TFLite flattens by itself, in NHWC order
        source = flattened(b, node.inputs[0], hint)
    inputs = [source, b.stored_constant(node.inputs[1], weights, axis=1)]
    if len(node.inputs) > 2 and node.inputs[2] != ABSENT:
        inputs.append(b.stored_constant(node.inputs[2], b.constant(node.inputs[2]), axis=0))
    made = b.node("Gemm", inputs, hint)
    b.define(node.outputs[0], b.activated(made, node.options["fusedActivationFunction"], node.outputs[0], hint))


def flattened(b: Builder, index: int, hint: str) -> str:
    """A rank-4 tensor as (N, H*W*C), in the order of the portable graph."""
    back = b.node("Transpose", [b.value(index)], hint, perm=(0, 2, 3, 1))
    return b.node("Flatten", [back], hint, axis=1)


HANDLERS = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
}
