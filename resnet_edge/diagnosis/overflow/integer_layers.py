"""The layers that multiply integers, in a graph that ONNX Runtime has optimized."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from resnet_edge.graph.onnx_pairs import is_depthwise, layer_name
from resnet_edge.graph.window import Window, onnx_window

CONVOLUTION, MATRIX = "QLinearConv", frozenset({"QGemm", "QLinearMatMul"})
EMULATED = frozenset({CONVOLUTION}) | MATRIX
OTHERS = frozenset({"ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"})
"""Layers of integers that are not emulated: their activations are quantized anew for each image."""


@dataclass(frozen=True)
class Geometry:
    """A kernel (height, width), and the attributes of its node."""

    kernel: tuple[int, int]
    attributes: Mapping[str, Any]

    @property
    def channels_last(self) -> bool:
        """Whether tensors are NHWC, as ONNX Runtime's optimizer makes them."""
        return bool(self.attributes.get("channels_last", 0))

    def over(self, image: tuple[int, int]) -> Window:
        """How it moves over an image (H, W)."""
        return onnx_window(self.attributes, self.kernel, image)


@dataclass(frozen=True, kw_only=True)
class IntegerLayer:
    """One layer: `reads` and `gives` are tensors of the optimized graph.

    `weights` (groups, K, O) of each group, K in the order in which MLAS adds: kernel rows, columns, and the
    channels within. `scale` (groups x O,) turns a sum into steps of the output, or into a real number where
    `out_dtype` is float32. `geometry` is None of a matrix. `narrow`: whether sums of pairs are in 16 bits.
    """

    name: str
    reads: str
    gives: str
    weights: NDArray[np.int32]
    weight_zero: NDArray[np.int64]
    bias: NDArray[np.int64]
    scale: NDArray[np.float32]
    in_zero: int
    out_zero: int
    out_dtype: np.dtype[Any]
    geometry: Geometry | None
    narrow: bool


def integer_layer(node: onnx.NodeProto, constants: Mapping[str, NDArray[Any]]) -> IntegerLayer:
    """The layer of a node whose operation is in EMULATED. Raises KeyError where its weights or scales are no
    constants."""
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    names = [*node.input, *[""] * 9]
    reads, in_scale, in_zero, kernel, kernel_scale, kernel_zero = names[:6]
    bias, out_scale, out_zero = names[6:9] if node.op_type == "QGemm" else (names[8], *names[6:8])
    stored = constants[kernel]
    if node.op_type == CONVOLUTION:
        weights, geometry = _of_kernel(stored, attributes)
    else:
        weights, geometry = _of_matrix(stored, attributes), None
    groups, _, each = weights.shape
    multiplier = np.float32(constants[in_scale]) * constants[kernel_scale].astype(np.float32)
    if out_scale:
        multiplier = multiplier / np.float32(constants[out_scale])
    zero = constants[out_zero] if out_zero else np.zeros((), np.float32)
    return IntegerLayer(
        name=layer_name(node),
        reads=reads,
        gives=node.output[0],
        weights=weights,
        weight_zero=np.broadcast_to(constants[kernel_zero].astype(np.int64), groups * each),
        bias=np.broadcast_to(constants[bias].astype(np.int64).ravel() if bias else 0, groups * each),
        scale=np.broadcast_to(multiplier.ravel(), groups * each).astype(np.float32),
        in_zero=int(constants[in_zero]),
        out_zero=int(zero),
        out_dtype=zero.dtype,
        geometry=geometry,
        narrow=_is_narrow(constants[in_zero].dtype, stored, attributes),
    )


def halved(layer: IntegerLayer) -> IntegerLayer:
    """The layer with weights in 7 bits, as `reduce_range` makes them: no sum of two is too large."""
    groups, _, each = layer.weights.shape
    real = layer.weights - layer.weight_zero.reshape(groups, 1, each)
    return replace(
        layer,
        weights=np.rint(real / 2).astype(np.int32),
        weight_zero=np.zeros_like(layer.weight_zero),
        bias=np.rint(layer.bias / 2).astype(np.int64),
        scale=2 * layer.scale,
    )


def _is_narrow(activations: np.dtype[Any], stored: NDArray[Any], attributes: dict[str, Any]) -> bool:
    """Only uint8 by int8 is; and a depthwise convolution has a kernel of its own, which adds in 32 bits
    (MLAS, qdwconv.cpp)."""
    depthwise = is_depthwise(stored.shape, attributes.get("group", 1))
    return activations == np.uint8 and stored.dtype == np.int8 and not depthwise


def _of_kernel(stored: NDArray[Any], attributes: dict[str, Any]) -> tuple[NDArray[np.int32], Geometry]:
    outputs, inputs, height, width = stored.shape
    groups = int(attributes.get("group", 1))
    split = stored.astype(np.int32).reshape(groups, outputs // groups, inputs, height, width)
    weights = split.transpose(0, 3, 4, 2, 1).reshape(groups, -1, outputs // groups)
    return np.ascontiguousarray(weights), Geometry((height, width), attributes)


def _of_matrix(stored: NDArray[Any], attributes: dict[str, Any]) -> NDArray[np.int32]:
    return np.ascontiguousarray((stored.T if attributes.get("transB") else stored).astype(np.int32)[None])
