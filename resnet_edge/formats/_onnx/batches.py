"""Blocks of pixels as further images, which is how TensorFlow writes dilated convolutions of any batch."""

from __future__ import annotations

import numpy as np

from resnet_edge.formats._onnx.builder import Builder
from resnet_edge.formats._onnx.layout import known_shape, reshaped, transposed
from resnet_edge.formats._onnx.movement import sliced
from resnet_edge.graph.model import Node


def space_to_batch(b: Builder, node: Node) -> None:
    """SPACE_TO_BATCH_ND: padded with zeros, then image (row, column, n) has every block-th pixel."""
    source, output = node.inputs[0], node.outputs[0]
    hint, (rows, columns) = b.name(output), b.constant(node.inputs[1]).tolist()
    _, height, width, channels = known_shape(b, output)
    pads = np.zeros((4, 2), np.int64)
    pads[2:] = b.constant(node.inputs[2])
    flat = b.initializer(pads.T.reshape(-1), f"{hint}_pads")
    zero = b.zero_behind(b.value(source))
    padded = b.moved(b.value(source), lambda moved: b.node("Pad", [moved, flat, *zero], hint))
    apart = reshaped(b, padded, (-1, channels, height, rows, width, columns), hint)
    joined = reshaped(b, transposed(b, apart, (3, 5, 0, 1, 2, 4), hint), (-1, channels, height, width), hint)
    b.define_moved(output, source, joined)


def batch_to_space(b: Builder, node: Node) -> None:
    """BATCH_TO_SPACE_ND: the reverse, and cut off."""
    source, output = node.inputs[0], node.outputs[0]
    hint, (rows, columns) = b.name(output), b.constant(node.inputs[1]).tolist()
    _, height, width, channels = known_shape(b, source)
    apart = reshaped(b, b.value(source), (rows, columns, -1, channels, height, width), hint)
    value = transposed(b, apart, (2, 3, 4, 0, 5, 1), hint)
    value = reshaped(b, value, (-1, channels, height * rows, width * columns), hint)
    for axis, (before, new) in enumerate(
        zip(b.constant(node.inputs[2])[:, 0].tolist(), known_shape(b, output)[1:3], strict=True)
    ):
        value = sliced(b, value, axis + 2, before, before + new, hint)
    b.define_moved(output, source, value)


HANDLERS = {"SPACE_TO_BATCH_ND": space_to_batch, "BATCH_TO_SPACE_ND": batch_to_space}
