"""Transposed convolutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.formats._onnx.builder import Builder
from resnet_edge.formats._onnx.convolution import SAME
from resnet_edge.formats._onnx.layout import known_shape
from resnet_edge.formats._onnx.movement import sliced, spread
from resnet_edge.graph.model import ABSENT, Node

MIDDLE = 128
KERNEL, SOURCE, BIAS = 1, 2, 3
"""Places of the inputs of TRANSPOSE_CONV; the first is the shape of the output."""


def transpose_conv(b: Builder, node: Node) -> None:
    """TRANSPOSE_CONV, kernel OHWI: in integers as an ordinary convolution, of which ONNX Runtime has an
    integer kernel, and in float as ConvTranspose."""
    if b.tensor(node.inputs[KERNEL]).quantization is None:
        _in_float(b, node)
    else:
        _in_integers(b, node)


def _in_float(b: Builder, node: Node) -> None:
    output, source = node.outputs[0], node.inputs[SOURCE]
    kernel = b.constant(node.inputs[KERNEL]).transpose(3, 0, 1, 2)
    strides, begins = _strides(node), _begins(b, node)
    before, after = known_shape(b, source)[1:3], known_shape(b, output)[1:3]
    # What is cut off at the end; less than nothing where rows are added that hold the bias only.
    ends = [
        (old - 1) * stride + taps - begin - new
        for old, new, stride, taps, begin in zip(
            before, after, strides, kernel.shape[2:], begins, strict=True
        )
    ]
    inputs = [b.apart(source), b.stored_constant(node.inputs[KERNEL], kernel), *_bias(b, node)]
    convolved = b.node(
        "ConvTranspose",
        inputs,
        b.name(output),
        kernel_shape=kernel.shape[2:],
        strides=strides,
        pads=[*begins, *(max(end, 0) for end in ends)],
        output_padding=[max(-end, 0) for end in ends],
    )
    b.define(output, convolved, b.limits(node))


def _in_integers(b: Builder, node: Node) -> None:
    """Every stride-th row of the output is a convolution of the input with every stride-th row of the kernel
    (W. Shi et al., arXiv:1609.07009): all of them side by side as channels, spread over the image after."""
    output, source, hint = node.outputs[0], node.inputs[SOURCE], b.name(node.outputs[0])
    kernel = phases(b.constant(node.inputs[KERNEL]), _strides(node))
    (rows, columns), begins = _strides(node), _begins(b, node)
    before, after = known_shape(b, source)[1:3], known_shape(b, output)[1:3]
    taps = kernel.shape[2:]
    ends = [
        -(-(begin + new) // stride) - old
        for begin, new, stride, old in zip(begins, after, (rows, columns), before, strict=True)
    ]
    weights = _repeated(b, node.inputs[KERNEL], _unsigned(kernel), rows * columns, MIDDLE)
    bias = [
        _repeated(b, index, np.tile(b.constant(index), rows * columns), rows * columns)
        for index in _given(node)
    ]
    convolved = b.node(
        "Conv",
        [b.value(source), weights, *bias],
        hint,
        kernel_shape=taps,
        pads=[taps[0] - 1, taps[1] - 1, *ends],
    )
    shape = (known_shape(b, source)[0], before[0] + ends[0], before[1] + ends[1], len(kernel))
    value = spread(b, b.rounded(convolved, output, b.limits(node)), shape, (rows, columns), hint)
    for axis, (begin, new) in enumerate(zip(begins, after, strict=True)):
        value = sliced(b, value, axis + 2, begin, begin + new, hint)
    b.define_exact(output, value)


def phases(kernel: NDArray[Any], strides: tuple[int, int]) -> NDArray[Any]:
    """The kernel (O, H, W, I) of a transposed convolution as that of an ordinary one, (rows * columns * O, I,
    H / rows, W / columns), rounded up: output row `s * m + r` comes from input rows `m - j` by the taps
    `s * j + r`."""
    channels, height, width, inputs = kernel.shape
    (rows, columns), (down, across) = strides, (-(-height // strides[0]), -(-width // strides[1]))
    filled = np.zeros((channels, down * rows, across * columns, inputs), kernel.dtype)
    filled[:, :height, :width] = kernel
    apart = filled.reshape(channels, down, rows, across, columns, inputs)[:, ::-1, :, ::-1]
    return np.ascontiguousarray(
        apart.transpose(2, 4, 0, 5, 1, 3).reshape(rows * columns * channels, inputs, down, across)
    )


def _strides(node: Node) -> tuple[int, int]:
    return int(node.options["strideH"]), int(node.options["strideW"])


def _begins(b: Builder, node: Node) -> list[int]:
    """How many rows and columns of the whole product are cut off in front."""
    if node.options["padding"] != SAME:
        return [0, 0]
    sizes = zip(
        known_shape(b, node.inputs[SOURCE])[1:3],
        known_shape(b, node.outputs[0])[1:3],
        b.shape(node.inputs[KERNEL])[1:3],
        _strides(node),
        strict=True,
    )
    return [max((old - 1) * stride + (taps or 0) - new, 0) // 2 for old, new, taps, stride in sizes]


def _given(node: Node) -> list[int]:
    return [index for index in node.inputs[BIAS:] if index != ABSENT]


def _bias(b: Builder, node: Node) -> list[str]:
    return [b.stored_constant(index, b.constant(index)) for index in _given(node)]


def _unsigned(kernel: NDArray[np.int8]) -> NDArray[np.uint8]:
    """The same weights around MIDDLE: no kernel of ONNX Runtime adds products of those in 16 bits, which
    would overflow on x86 without VNNI, and what keeps other layers from it (their scales) is chosen for the
    order of weights that they have in TFLite."""
    return (kernel.astype(np.int16) + MIDDLE).astype(np.uint8)


def _repeated(b: Builder, index: int, data: NDArray[Any], times: int, shift: int = 0) -> str:
    """A quantized constant whose channels occur `times` times, with its zero points higher by `shift`."""
    quantization = b.tensor(index).quantization
    assert quantization is not None  # _in_integers is for nothing else
    points = tuple(point + shift for point in quantization.zero_point)
    if len(points) > 1:
        points, scale = points * times, quantization.scale * times
        quantization = replace(quantization, scale=scale)
    quantization = replace(quantization, zero_point=points)
    return b.dequantized(b.initializer(data, b.name(index)), data.dtype, quantization, b.name(index), 0)


HANDLERS = {"TRANSPOSE_CONV": transpose_conv}
