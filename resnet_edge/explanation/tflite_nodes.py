"""What single TFLite operators and tensors say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from resnet_edge.explanation.layers import Grid, Layer, Real
from resnet_edge.graph.model import Node, Tensor


def grid_of(tensor: Tensor) -> Grid | None:
    """What an integer tensor can hold; None of one in float."""
    if tensor.quantization is None or not tensor.dtype.startswith(("int", "uint")):
        return None
    ends = np.iinfo(tensor.dtype)
    scale, zero = tensor.quantization.scale[0], tensor.quantization.zero_point[0]
    return Grid(scale * (ends.min - zero), scale * (ends.max - zero), scale)


def pair_of(node: Node, option: str) -> tuple[int, int]:
    """An option that there is for height and width."""
    height, width = (int(node.options.get(option.format(axis)) or 1) for axis in "HW")
    return height, width


def times(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Both, multiplied."""
    return one[0] * other[0], one[1] * other[1]


def real(tensor: Tensor) -> Real:
    """A constant as real numbers."""
    assert tensor.data is not None
    if tensor.quantization is None or tensor.data.dtype.kind == "f":
        return tensor.data.astype(np.float64)
    found = tensor.quantization
    shape = [1] * tensor.data.ndim
    if found.axis is not None and len(found.scale) > 1:
        shape[found.axis % tensor.data.ndim] = -1
    scale, zero = np.array(found.scale).reshape(shape), np.array(found.zero_point).reshape(shape)
    real: Real = (tensor.data.astype(np.float64) - zero) * scale
    return real


def steps(tensor: Tensor, count: int) -> Real:
    """What the weights of each of `count` outputs were rounded to."""
    assert tensor.quantization is not None
    scale = np.array(tensor.quantization.scale, np.float64)
    return np.broadcast_to(scale, (count,)).copy() if len(scale) == 1 else scale


def with_vector(layer: Layer, constant: Tensor, op: str) -> Layer:
    """The layer with what it multiplies or adds."""
    values, step = real(constant).ravel(), 0.0
    if constant.quantization is not None and constant.dtype != "float32":
        step = max(constant.quantization.scale)
    if layer.kind == "scale":
        values = 1 / values if op == "DIV" else values
        return replace(layer, weights=values.reshape(-1, 1, 1, 1), vector_step=step)
    return replace(layer, bias=-values if op == "SUB" else values, vector_step=step)


def meaning(node: Node) -> tuple[str, str]:
    """As onnx_nodes.meaning."""
    if node.op == "RESIZE_BILINEAR":
        half, aligned = (node.options.get(name) for name in ("halfPixelCenters", "alignCorners"))
        way = "half-pixel centres" if half else "aligned corners" if aligned else "corners of pixels"
        return "resize", f"bilinear, {way}"
    if node.op == "RESIZE_NEAREST_NEIGHBOR":
        return "resize", ""
    if node.op == "LEAKY_RELU":
        return "leakyrelu", f"slope {node.options.get('alpha', 0.0):.4g}"
    return node.op.lower(), ""
