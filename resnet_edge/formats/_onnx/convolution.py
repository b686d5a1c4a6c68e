"""Convolutions and dense layers."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from resnet_edge.formats._onnx.builder import NHWC, Builder, NotLowered
from resnet_edge.formats._onnx.layout import from_portable_order, in_portable_order, reshaped
from resnet_edge.graph.model import ABSENT, Node

SAME = 0


def conv_2d(b: Builder, node: Node) -> None:
    """CONV_2D: kernel OHWI here, OIHW in ONNX."""
    kernel = b.constant(node.inputs[1]).transpose(0, 3, 1, 2)
    _convolution(b, node, kernel, group=_channels(b, node) // kernel.shape[1])


def depthwise_conv_2d(b: Builder, node: Node) -> None:
    """DEPTHWISE_CONV_2D: kernel 1HWO here, O1HW in ONNX."""
    kernel = b.constant(node.inputs[1]).transpose(3, 0, 1, 2)
    _convolution(b, node, kernel, group=_channels(b, node))


def _channels(b: Builder, node: Node) -> int:
    channels = b.shape(node.inputs[0])[3]
    if channels is None:
        raise NotLowered(f"a convolution of an unknown number of channels at {b.name(node.outputs[0])!r}")
    return channels


def _convolution(b: Builder, node: Node, kernel: NDArray[Any], group: int) -> None:
    source, explicit = b.padded.get(node.inputs[0], (node.inputs[0], (0, 0, 0, 0)))
    o = node.options
    strides, dilations = (o["strideH"], o["strideW"]), (o["dilationHFactor"], o["dilationWFactor"])
    pads = explicit
    if o["padding"] == SAME:
        if any(explicit):
            raise NotLowered("a padded tensor under a convolution with SAME padding")
        pads = same_pads(b, node.inputs[0], kernel.shape[2:], strides, dilations)
    hint = b.name(node.outputs[0])
    image = _entry(b, node, source)
    if strides != (1, 1) and not any(pads) and all(_skips(b, r, strides) for r in b.readers(source)):
        image, strides = _thinned(b, source, image, strides)
    inputs = [image, b.stored_constant(node.inputs[1], kernel, axis=0), *_bias(b, node)]
    convolved = b.node(
        "Conv",
        inputs,
        hint,
        kernel_shape=kernel.shape[2:],
        strides=strides,
        dilations=dilations,
        pads=pads,
        group=group,
    )
    b.define(node.outputs[0], convolved, b.limits(node))


def _skips(b: Builder, reader: Node, strides: tuple[int, int]) -> bool:
    """Whether an operation is a 1x1 convolution with these strides, not in groups."""
    if reader.op != "CONV_2D" or not b.is_constant(reader.inputs[1]):
        return False
    o, kernel = reader.options, b.constant(reader.inputs[1])
    return kernel.shape[1:] == (1, 1, _channels(b, reader)) and (o["strideH"], o["strideW"]) == strides


def _thinned(b: Builder, source: int, image: str, strides: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """What 1x1 convolutions that alone read `source`, with the same strides, read of `image`, and the strides
    that are left to them.

    OpenVINO moves such strides up into a MaxPool, as far as the middle of the DequantizeLinear, which leaves
    the convolutions in float (https://github.com/openvinotoolkit/openvino/pull/5314). A MaxPool of one pixel
    between two pairs of their own moves the same integers, once for all of them, and every runtime has it in
    integers. Needed until OpenVINO quantizes before it moves strides.
    """
    if b.tensor(source).quantization is None or image != b.value(source):
        return image, strides
    if (source, strides) not in b.thinned:
        pool = b.node("MaxPool", [image], b.name(source), kernel_shape=(1, 1), strides=strides)
        b.thinned[source, strides] = b.rounded(pool, source)
    return b.thinned[source, strides], (1, 1)


def same_pads(
    b: Builder,
    source: int,
    kernel: tuple[int, ...],
    strides: tuple[int, int],
    dilations: tuple[int, int] = (1, 1),
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
    """FULLY_CONNECTED: weights are (out, in), and stay so: OpenCV before 4.7 reads no others in a Gemm
    (https://github.com/opencv/opencv/issues/22096)."""
    source, output = node.inputs[0], node.outputs[0]
    shape, hint = b.shape(source), b.name(output)
    weights = b.constant(node.inputs[1])
    if node.options.get("weightsFormat"):
        raise NotLowered(f"shuffled weights at {hint!r}")
    if len(shape) == len(b.shape(output)) == 4:
        _pointwise(b, node, weights)
        return
    whole = math.prod(size or 0 for size in shape[1:]) == weights.shape[1]  # a row per image
    value = _entry(b, node, source)
    if len(shape) == 4 and len(b.shape(output)) == 2 and whole:
        value = flattened(b, value, source, hint)
    elif len(shape) != 2:
        value = reshaped(b, in_portable_order(b, source, value), (-1, weights.shape[1]), hint)
    inputs = [value, b.stored_constant(node.inputs[1], weights, axis=0), *_bias(b, node)]
    product = b.rounded(b.node("Gemm", inputs, hint, transB=1), output, b.limits(node))
    if len(b.shape(output)) != 2:
        product = reshaped(b, product, b.shape(output), hint)
    b.define_exact(output, from_portable_order(b, product, len(b.shape(output)), hint))


def _pointwise(b: Builder, node: Node, weights: NDArray[Any]) -> None:
    """A dense layer on every pixel is a 1x1 convolution."""
    kernel = b.stored_constant(node.inputs[1], weights[:, :, None, None], axis=0)
    image = _entry(b, node, node.inputs[0])
    convolved = b.node("Conv", [image, kernel, *_bias(b, node)], b.name(node.outputs[0]))
    b.define(node.outputs[0], convolved, b.limits(node))


def _entry(b: Builder, node: Node, source: int) -> str:
    """What a layer computes with: `source`, which a float layer keeps ONNX Runtime from quantizing."""
    in_float = b.tensor(node.inputs[1]).quantization is None
    return b.apart(source) if in_float else b.value(source)


def _bias(b: Builder, node: Node) -> list[str]:
    if len(node.inputs) < 3 or node.inputs[2] == ABSENT:
        return []
    return [b.stored_constant(node.inputs[2], b.constant(node.inputs[2]), axis=0)]


def flattened(b: Builder, value: str, index: int, hint: str) -> str:
    """A rank-4 tensor (`value` on the grid of `index`) as (N, H*W*C), in the order of the portable
    graph."""
    back = b.node("Transpose", [value], hint, perm=NHWC)
    return b.rounded(b.node("Flatten", [b.rounded(back, index)], hint, axis=1), index)


HANDLERS = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
}
