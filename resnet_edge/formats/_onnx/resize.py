"""Images in another size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.formats._onnx.builder import Builder, NotLowered
from resnet_edge.formats._onnx.layout import known_shape
from resnet_edge.formats._onnx.movement import gathered
from resnet_edge.graph.model import Node

HALVES_UP = 1e-4
"""Of a step of the output. LiteRT rounds halves up and ONNX Runtime to even, and enlarged twice every
sixteenth pixel is a half; it is above what float32 can err by (graph/quantization/additions.py, MARGIN)."""


def bilinear(b: Builder, node: Node) -> None:
    """RESIZE_BILINEAR; of integers in float, as ONNX Runtime's kernel for uint8 cuts fractions off."""
    source, output = node.inputs[0], node.outputs[0]
    hint, on_grid = b.name(output), b.tensor(output).quantization
    scales = b.initializer(np.asarray([1, 1, *_scales(b, node)], np.float32), f"{hint}_scales")
    resized = b.node(
        "Resize",
        [b.value(source), "", scales],
        hint,
        mode="linear",
        coordinate_transformation_mode=_coordinates(node),
    )
    if on_grid is not None:
        resized = b.node("Add", [resized, b.number(on_grid.scale[0] * HALVES_UP, f"{hint}_upwards")], hint)
    b.define(output, resized)


def _coordinates(node: Node) -> str:
    if node.options.get("alignCorners"):
        return "align_corners"
    return "half_pixel" if node.options.get("halfPixelCenters") else "asymmetric"


def _scales(b: Builder, node: Node) -> list[np.float32]:
    """New over old height and width. ONNX takes the floor of size times scale: never one pixel less."""
    scales = []
    for old, new in zip(_size(b, node.inputs[0]), _size(b, node.outputs[0]), strict=True):
        scale = np.float32(new) / np.float32(old)
        scales.append(
            scale if int(scale * np.float32(old)) == new else np.nextafter(scale, np.float32(np.inf))
        )
    return scales


def _size(b: Builder, index: int) -> tuple[int, int]:
    shape = known_shape(b, index)
    if len(shape) != 4:
        raise NotLowered(f"a resize of {b.name(index)!r}, which is no image")
    return shape[1], shape[2]


def nearest(b: Builder, node: Node) -> None:
    """RESIZE_NEAREST_NEIGHBOR, as rows and columns that LiteRT reads: its sums in float32 decide where a
    pixel lies in the middle between two."""
    source, output = node.inputs[0], node.outputs[0]
    value, hint = b.value(source), b.name(output)
    for axis, (old, new) in enumerate(zip(_size(b, source), _size(b, output), strict=True)):
        value = gathered(b, value, _nearest(old, new, node), axis + 2, hint)
    b.define_moved(output, source, value)


def _nearest(old: int, new: int, node: Node) -> NDArray[np.int64]:
    """TensorFlow, lite/kernels/internal/reference/resize_nearest_neighbor.h, GetNearestNeighbor."""
    corners, centers = node.options.get("alignCorners"), node.options.get("halfPixelCenters")
    scale = (
        np.float32(old - 1) / np.float32(new - 1)
        if corners and new > 1
        else np.float32(old) / np.float32(new)
    )
    places = (np.arange(new, dtype=np.float32) + np.float32(0.5 if centers else 0)) * scale
    rounded = np.floor(places + np.float32(0.5)) if corners else np.floor(places)
    return np.asarray(np.clip(rounded, 0, old - 1), np.int64)


HANDLERS = {"RESIZE_BILINEAR": bilinear, "RESIZE_NEAREST_NEIGHBOR": nearest}
