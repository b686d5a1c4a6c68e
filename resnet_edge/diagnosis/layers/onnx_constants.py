"""The constants of an .onnx file as real numbers with what storing them has rounded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.tensors import quantize
from resnet_edge.diagnosis.layers.onnx_nodes import attributes
from resnet_edge.diagnosis.layers.steps import Constant, Real, affine, stored
from resnet_edge.graph.macs import onnx_constants

MOVED = frozenset({"Cast", "Transpose", "Reshape", "Identity", "Squeeze", "Unsqueeze", "Flatten"})


class OnnxConstants:
    """Constants by name, and what nodes make of constants alone."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.raw = {name: numpy_helper.to_array(tensor) for name, tensor in onnx_constants(graph)}
        self._real: dict[str, Constant] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.raw or name in self._real

    def real(self, name: str) -> Constant:
        """As real numbers."""
        return self._real[name] if name in self._real else stored(self.raw[name])

    def take(self, node: onnx.NodeProto) -> bool:
        """Whether a node computes with constants alone; what it gives is a constant, too."""
        given = [name for name in node.input if name]
        if node.op_type == "Constant":
            return node.output[0] in self
        if not given or not all(name in self for name in given):
            return False
        if node.op_type == "DequantizeLinear":
            self._real[node.output[0]] = self._dequantized(node)
        elif node.op_type == "QuantizeLinear":
            self.raw[node.output[0]] = self._quantized(node)
        elif node.op_type in MOVED:
            self._move(node)
        else:
            self._computed(node)
        return True

    def grid_inputs(self, node: onnx.NodeProto) -> tuple[Real, np.ndarray, tuple[int, ...]]:
        """Scale, zero point and the shape in which they broadcast to a constant, of a QuantizeLinear or its
        reverse."""
        scale = self.real(node.input[1]).values
        named = len(node.input) > 2 and node.input[2]
        zero = self.raw[node.input[2]] if named else np.zeros((), np.uint8)
        rank = self.real(node.input[0]).values.ndim if node.input[0] in self else 0
        shape = [1] * rank
        if rank and scale.size > 1 and scale.ndim == 1:
            shape[attributes(node).get("axis", 1) % rank] = -1
        return scale, zero, tuple(shape) if scale.size > 1 else ()

    def _dequantized(self, node: onnx.NodeProto) -> Constant:
        scale, zero, shape = self.grid_inputs(node)
        if scale.ndim > 1:  # a scale for each block along an axis
            return self._in_blocks(node, scale, zero)
        return affine(self.raw[node.input[0]], scale.ravel(), zero.ravel() if zero.size > 1 else zero, shape)

    def _in_blocks(self, node: onnx.NodeProto, scale: Real, zero: np.ndarray) -> Constant:
        integers, axis = self.raw[node.input[0]], attributes(node).get("axis", 1)
        size = attributes(node)["block_size"]
        scale = scale.repeat(size, axis)
        zeros = zero.repeat(size, axis) if zero.ndim else zero
        within = tuple(slice(0, length) for length in integers.shape)
        step = scale[within]
        real = (integers.astype(np.float64) - (zeros[within] if zeros.ndim else zeros)) * step
        return Constant(values=real, variance=step**2 / 12, steps=tuple(np.unique(step).tolist()))

    def _quantized(self, node: onnx.NodeProto) -> np.ndarray:
        scale, zero, shape = self.grid_inputs(node)
        values = self.real(node.input[0]).values
        axis = shape.index(-1) if -1 in shape else None
        zeros = tuple(np.broadcast_to(zero.ravel(), scale.size).astype(int).tolist())
        grid = Quantization(tuple(scale.ravel().tolist()), zeros, axis)
        return quantize(values, TensorSpec(node.output[0], values.shape, str(zero.dtype), grid))

    def _move(self, node: onnx.NodeProto) -> None:
        given, out, op = node.input[0], node.output[0], node.op_type
        if given in self.raw and self.raw[given].dtype.kind in "iub":
            self._computed(node)
            return
        real = self.real(given)
        variance = np.broadcast_to(real.variance, real.values.shape)
        if op == "Transpose":
            axes = attributes(node).get("perm")
            self._real[out] = replace(
                real, values=real.values.transpose(axes), variance=variance.transpose(axes)
            )
            return
        shape = real.values.shape if op in ("Cast", "Identity") else _evaluated(node, self, real.values).shape
        self._real[out] = replace(real, values=real.values.reshape(shape), variance=variance.reshape(shape))

    def _computed(self, node: onnx.NodeProto) -> None:
        """By ONNX's own reference; how its rounding comes through is not known."""
        given = self.raw[node.input[0]] if node.input[0] in self.raw else self.real(node.input[0]).values
        array = _evaluated(node, self, given)
        if array.dtype.kind == "f" and any(name in self._real for name in node.input):
            self._real[node.output[0]] = Constant(
                values=array.astype(np.float64), variance=np.full((), np.inf)
            )
        else:
            self.raw[node.output[0]] = array


def _evaluated(node: onnx.NodeProto, constants: OnnxConstants, first: np.ndarray) -> np.ndarray:
    from onnx.reference import ReferenceEvaluator

    feed = {node.input[0]: first}
    for name in node.input[1:]:
        if name:
            feed[name] = constants.raw[name] if name in constants.raw else constants.real(name).values
    outputs: Any = ReferenceEvaluator(node).run(None, feed)
    return np.asarray(outputs[0])
