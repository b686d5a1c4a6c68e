"""What single ONNX nodes say, by their attributes and constant inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from resnet_edge.explanation.layers import Grid, Layer, Real
from resnet_edge.graph.window import Pads

Constants = Mapping[str, NDArray[Any]]
LARGEST = 1e30
"""What a Clip without an end has as its end, at least."""


def told(node: onnx.NodeProto) -> dict[str, Any]:
    """Its attributes."""
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def with_nodes(
    model: onnx.ModelProto, nodes: Iterable[onnx.NodeProto], constants: Iterable[onnx.TensorProto] = ()
) -> onnx.ModelProto:
    """A copy with other nodes, and more constants; what was inferred of tensors is gone."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:]
    del found.graph.value_info[:]
    found.graph.node.extend(nodes)
    found.graph.initializer.extend(constants)
    return found


def clip_limit(
    node: onnx.NodeProto, constants: Constants, grid: tuple[float, float]
) -> tuple[float | None] | None:
    """Of a Clip that is a ReLU: its end, None where it has none. None of another. `grid` is the scale and
    the zero point of what it cuts."""
    scale, zero = grid
    ends = []
    for at, word in ((1, "min"), (2, "max")):
        name = node.input[at] if len(node.input) > at else ""
        if name and name not in constants:
            return None
        ends.append(float(np.ravel(constants[name])[0]) if name else told(node).get(word))
    low, high = ends
    if low != zero:
        return None
    return (None if high is None or high > LARGEST else (high - zero) * scale,)


def normalization(node: onnx.NodeProto, constants: Constants) -> tuple[Real, Real] | None:
    """Of a BatchNormalization: the factor and the summand (C,) of each channel."""
    if any(name not in constants for name in node.input[1:]):
        return None
    gamma, beta, mean, variance = (constants[name].astype(np.float64) for name in node.input[1:])
    factor = gamma / np.sqrt(variance + told(node).get("epsilon", 1e-5))
    return factor, beta - mean * factor


def zero_pads(node: onnx.NodeProto, constants: Constants, zero: float = 0.0) -> Pads | None:
    """Of a Pad that puts zeros, which are stored as `zero`, around the pixels of an NCHW image. None of
    another."""
    options, names = told(node), [*node.input, "", "", ""]
    amounts = constants.get(names[1], options.get("pads"))
    filling = constants.get(names[2], np.array(options.get("value", 0.0)))
    if options.get("mode", b"constant") != b"constant" or names[3] or np.any(filling != zero):
        return None
    if amounts is None or len(amounts) != 8:
        return None
    first, last = np.asarray(amounts).reshape(2, 4)
    if first[:2].any() or last[:2].any():
        return None
    return int(first[2]), int(first[3]), int(last[2]), int(last[3])


def dequantized(node: onnx.NodeProto, constants: Constants) -> tuple[Real, Real, NDArray[Any]]:
    """Of a DequantizeLinear of a constant: real numbers, the scales, and the integers without zero point."""
    stored, scale = constants[node.input[0]], constants[node.input[1]].astype(np.float64)
    zero = constants[node.input[2]] if len(node.input) > 2 else np.zeros((), np.int64)
    shape = [1] * stored.ndim
    if scale.ndim:
        shape[told(node).get("axis", 1) % max(stored.ndim, 1)] = -1
    integers = stored.astype(np.int64) - zero.astype(np.int64).reshape(shape if zero.ndim else ())
    return integers * (scale.reshape(shape) if scale.ndim else scale), scale.ravel(), integers


def scale_of(node: onnx.NodeProto, constants: Constants) -> tuple[float, float]:
    """Of a QuantizeLinear or a DequantizeLinear: scale and zero point."""
    zero = constants[node.input[2]] if len(node.input) > 2 else np.zeros(())
    return float(constants[node.input[1]].ravel()[0]), float(np.ravel(zero)[0])


def grid_of(node: onnx.NodeProto, constants: Constants) -> Grid:
    """What a QuantizeLinear can give."""
    scale, zero = scale_of(node, constants)
    dtype = constants[node.input[2]].dtype if len(node.input) > 2 else np.dtype(np.uint8)
    ends = np.iinfo(dtype)
    return Grid(scale * (ends.min - zero), scale * (ends.max - zero), scale)


def meaning(node: onnx.NodeProto) -> tuple[str, str]:
    """What an operation that has no constants of its own does, in words that both formats share: its kind,
    and how."""
    options = told(node)
    if node.op_type in ("Resize", "Upsample"):
        way = options.get("mode", b"nearest").decode()
        mode = options.get("coordinate_transformation_mode", b"half_pixel").decode()
        linear = way == "linear" and mode in CENTRES
        return "resize", f"bilinear, {CENTRES[mode]}" if linear else ""
    if node.op_type == "LeakyRelu":
        return "leakyrelu", f"slope {options.get('alpha', 0.01):.4g}"
    return node.op_type.lower(), ""


CENTRES = {
    "half_pixel": "half-pixel centres",
    "pytorch_half_pixel": "half-pixel centres",
    "align_corners": "aligned corners",
    "asymmetric": "corners of pixels",
}


def weighted(
    layer: Layer,
    node: onnx.NodeProto,
    constants: Constants,
    step: Real | None,
    integers: NDArray[Any] | None,
) -> Layer:
    """The layer of a Conv, Gemm or MatMul with its weights and its bias; `step` and `integers` are those of
    rounded weights."""
    values = constants[node.input[1]].astype(np.float64)
    stored = integers
    if node.op_type == "Conv":
        weights = values.transpose(0, 2, 3, 1)
        stored = None if integers is None else integers.transpose(0, 2, 3, 1)
    else:
        turned = node.op_type == "MatMul" or not told(node).get("transB", 0)
        weights = (values.T if turned else values)[:, None, None]
        stored = None if integers is None else (integers.T if turned else integers)[:, None, None]
    named = node.input[2] if len(node.input) > 2 else ""
    bias = constants[named].astype(np.float64).ravel() if named in constants else np.zeros(len(weights))
    grouped = told(node).get("group", 1) > 1
    return replace(
        layer,
        kind="depthwise" if grouped and weights.shape[3] == 1 else layer.kind,
        weights=weights,
        bias=bias,
        step=None if step is None else np.ones(len(weights)) * step,
        stored=stored,
    )
