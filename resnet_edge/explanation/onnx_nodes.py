"""What single ONNX nodes say, by their attributes and constant inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from resnet_edge.explanation.layers import Real
from resnet_edge.graph.window import Pads

Constants = Mapping[str, NDArray[Any]]
LARGEST = 1e30
"""What a Clip without an end has as its end, at least."""


def told(node: onnx.NodeProto) -> dict[str, Any]:
    """Its attributes."""
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


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
