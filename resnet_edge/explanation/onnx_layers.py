"""The layers of an .onnx file. Activations are NCHW there, and NHWC here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.explanation.layers import Builder, Layer, Network, Real
from resnet_edge.explanation.onnx_nodes import (
    clip_limit,
    dequantized,
    grid_of,
    meaning,
    normalization,
    scale_of,
    told,
    weighted,
    zero_pads,
)
from resnet_edge.explanation.onnx_qoperators import with_real_operations
from resnet_edge.explanation.rewritten import canonical
from resnet_edge.graph.window import Pads, added, onnx_window
from resnet_edge.graph.work import onnx_constants

KINDS = {
    "Conv": "conv",
    "Gemm": "dense",
    "MatMul": "dense",
    "Add": "add",
    "Mul": "scale",
    "Div": "scale",
    "Sub": "shift",
    "GlobalAveragePool": "mean",
    "ReduceMean": "mean",
    "AveragePool": "pool",
    "MaxPool": "pool",
    "Softmax": "softmax",
}
MOVES = frozenset({"Flatten", "Identity", "Squeeze", "Unsqueeze", "Cast"})
TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


def read_onnx(path: Path) -> Network:
    """Raises ArtifactError."""
    try:
        model = with_real_operations(onnx.load(str(path), load_external_data=True))
        model = onnx.shape_inference.infer_shapes(model)
        return canonical(_Reader(model).network())
    except ArtifactError:
        raise
    except Exception as error:  # protobuf's errors, and a graph that refers to what is not there
        raise ArtifactError(f"{path}: its layers cannot be read ({first_line(error)})") from error


class _Reader:
    """The state while the nodes are gone through."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.graph = graph
        self.constants = {name: numpy_helper.to_array(tensor) for name, tensor in onnx_constants(graph)}
        self.steps: dict[str, tuple[Real, NDArray[Any]]] = {}
        self.shapes = {
            value.name: tuple(d.dim_value or 1 for d in value.type.tensor_type.shape.dim)
            for value in (*graph.value_info, *graph.output, *graph.input)
        }
        self.grids: dict[str, tuple[float, float]] = {}
        self.pads: dict[str, Pads] = {}
        self.channels_last = {value.name for value in graph.input if value.name not in self.constants}
        self.readers: dict[str, Callable[[onnx.NodeProto], None]] = {
            QUANTIZE: self._quantize,
            DEQUANTIZE: self._dequantize,
            "Relu": self._relu,
            "Clip": self._relu,
            "BatchNormalization": self._normalization,
            "Pad": self._pad,
            "Transpose": self._transpose,
            "Reshape": self._reshape,
        }
        self.found = Builder([value.name for value in graph.input if value.name not in self.constants])

    def network(self) -> Network:
        for node in self.graph.node:
            if self.channels_last.intersection(node.input):
                self.channels_last.update(node.output)
            self._node(node)
        return self.found.network()

    def _node(self, node: onnx.NodeProto) -> None:
        given, out = node.input[0] if node.input else "", node.output[0]
        fixed = given in self.constants
        if fixed and node.op_type == DEQUANTIZE:
            self._constant(node)
        elif fixed and node.op_type in ("Cast", "Transpose", "Identity", "Reshape"):
            self._moved_constant(node)
        elif node.op_type in self.readers:
            self.readers[node.op_type](node)
        elif node.op_type in KINDS:
            self._layer(node)
        elif node.op_type in MOVES:
            self._move(given, out)
        elif node.op_type != "Constant":
            self._unknown(node)

    def _quantize(self, node: onnx.NodeProto) -> None:
        self.grids[node.output[0]] = scale_of(node, self.constants)
        self.found.behind(node.input[0], node.output[0], grid=grid_of(node, self.constants))
        self._keep_pads(node)

    def _dequantize(self, node: onnx.NodeProto) -> None:
        self._check_grid(node)
        self.found.behind(node.input[0], node.output[0])
        self._keep_pads(node)

    def _keep_pads(self, node: onnx.NodeProto) -> None:
        if node.input[0] in self.pads:
            self.pads[node.output[0]] = self.pads[node.input[0]]

    def _relu(self, node: onnx.NodeProto) -> None:
        given, out = node.input[0], node.output[0]
        grid = self.grids.get(given, (1.0, 0.0))
        limit = (None,) if node.op_type == "Relu" else clip_limit(node, self.constants, grid)
        if given in self.grids:
            self.grids[out] = grid
        if limit is None:
            self._unknown(node)
        else:
            self.found.behind(given, out, positive=True, limit=limit[0])

    def _normalization(self, node: onnx.NodeProto) -> None:
        """Two layers, of which the first cannot be watched: no tensor is between them."""
        vectors = normalization(node, self.constants)
        if vectors is None:
            self._unknown(node)
            return
        out, (factor, summand) = node.output[0], vectors
        shape, between = self._shape(out), f"{out}/factor"
        read = (self.found.source(node.input[0]),)
        self.found.add(Layer(between, "scale", shape, read, weights=factor.reshape(-1, 1, 1, 1)))
        self.found.add(Layer(out, "shift", shape, (self.found.source(between),), bias=summand))

    def _transpose(self, node: onnx.NodeProto) -> None:
        given, out, order = node.input[0], node.output[0], list(told(node).get("perm", ()))
        if order == TO_NCHW:
            self.channels_last.discard(out)
        elif order == TO_NHWC:
            self.channels_last.add(out)
        elif len(order) == 4:
            self.found.odd(out, "Transpose")
        self._move(given, out)

    def _reshape(self, node: onnx.NodeProto) -> None:
        """With one channel, or one pixel, layouts differ by their shape alone."""
        given, out = node.input[0], node.output[0]
        before, after = (self.shapes.get(name, ()) for name in (given, out))
        if len(before) == len(after) == 4:
            if after == tuple(before[axis] for axis in TO_NCHW):
                self.channels_last.discard(out)
            elif after == tuple(before[axis] for axis in TO_NHWC):
                self.channels_last.add(out)
        self._move(given, out)

    def _move(self, given: str, out: str) -> None:
        if given in self.grids:
            self.grids[out] = self.grids[given]
        self.found.move(given, out)

    def _pad(self, node: onnx.NodeProto) -> None:
        """Zeros before a window are a part of it; other pads are an operation of their own."""
        pads = zero_pads(node, self.constants, self.grids.get(node.input[0], (1.0, 0.0))[1])
        if pads is None:
            self._unknown(node)
            return
        self.pads[node.output[0]] = added(pads, self.pads.get(node.input[0], (0, 0, 0, 0)))
        self._move(node.input[0], node.output[0])

    def _unknown(self, node: onnx.NodeProto) -> None:
        self.found.odd(node.output[0], *meaning(node))
        self.found.move(node.input[0] if node.input else "", node.output[0])

    def _constant(self, node: onnx.NodeProto) -> None:
        values, scale, integers = dequantized(node, self.constants)
        self.constants[node.output[0]] = values
        self.steps[node.output[0]] = scale, integers

    def _moved_constant(self, node: onnx.NodeProto) -> None:
        values = self.constants[node.input[0]]
        if node.op_type == "Transpose":
            values = values.transpose(told(node).get("perm"))
        elif node.op_type == "Reshape":
            values = values.reshape(self.constants[node.input[1]])
        self.constants[node.output[0]] = values

    def _check_grid(self, node: onnx.NodeProto) -> None:
        """What is written in one scale and read in another is multiplied on the way."""
        wrote = self.grids.get(node.input[0])
        if wrote is None or wrote == scale_of(node, self.constants):
            return
        number = self.found.source(node.input[0])
        name = self.found.layers[number].name if number >= 0 else node.input[0]
        (a, p), (b, q) = wrote, scale_of(node, self.constants)
        self.found.oddities.append(
            (name, f"is stored with scale {a:.6g} and zero point {p:g}, and read with {b:.6g} and {q:g}")
        )

    def _layer(self, node: onnx.NodeProto) -> None:
        kind = KINDS[node.op_type]
        fixed = [name for name in node.input if name in self.constants]
        if fixed and node.op_type in ("Sub", "Div") and node.input[0] in self.constants:
            self._of_constant(node)
            return
        if node.op_type in ("Add", "Sub", "Mul", "Div") and not fixed:
            kind = "add"
        elif node.op_type == "Add":
            kind = "shift"
        if kind == "shift" and self._is_bias(node):
            return
        reads = tuple(self.found.source(name) for name in node.input if name and name not in self.constants)
        out = node.output[0]
        layer = Layer(out, kind, self._shape(out), reads, nchw=out not in self.channels_last)
        if kind in ("conv", "dense") and len(node.input) > 1 and node.input[1] in self.constants:
            layer = self._weighted(layer, node)
        elif kind == "scale" and fixed:
            values = self.constants[fixed[0]].astype(np.float64)
            values = 1 / values if node.op_type == "Div" else values
            layer = replace(layer, weights=values.reshape(-1, 1, 1, 1), vector_step=self._step(fixed[0]))
        elif kind == "shift" and fixed:
            values = self.constants[fixed[0]].astype(np.float64).ravel()
            values = -values if node.op_type == "Sub" else values
            layer = replace(layer, bias=values, vector_step=self._step(fixed[0]))
        self.found.add(layer)

    def _step(self, name: str) -> float:
        return float(self.steps[name][0].max()) if name in self.steps else 0.0

    def _of_constant(self, node: onnx.NodeProto) -> None:
        """A constant less, or over, what is computed."""
        self.found.odd(node.output[0], *meaning(node))
        self.found.move(node.input[1], node.output[0])

    def _is_bias(self, node: onnx.NodeProto) -> bool:
        """Whether an addition is the bias of the matrix product before it."""
        given = next((name for name in node.input if name not in self.constants), "")
        number = self.found.source(given)
        layers = self.found.layers
        if number < 0 or layers[number].kind != "dense" or layers[number].values != given:
            return False
        constant = next(name for name in node.input if name in self.constants)
        layers[number] = replace(layers[number], bias=self.constants[constant].astype(np.float64).ravel())
        self.found.behind(given, node.output[0])
        return True

    def _weighted(self, layer: Layer, node: onnx.NodeProto) -> Layer:
        image, name = node.input[0], node.input[1]
        window = onnx_window(told(node), _sides(self.constants[name]), self._shape(image)[:2])
        before = self.pads.get(image, (0, 0, 0, 0))
        return replace(
            weighted(layer, node, self.constants, *self.steps.get(name, (None, None))),
            stride=window.stride,
            dilation=window.dilation,
            padding=None if window.padding is None else added(before, window.padding),
        )

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = self.shapes.get(name, ())
        moved = len(shape) == 4 and name not in self.channels_last
        return (*shape[2:], shape[1]) if moved else tuple(shape[1:])


def _sides(weights: NDArray[Any]) -> tuple[int, int]:
    """Of a kernel; a matrix has one tap."""
    return (weights.shape[2], weights.shape[3]) if weights.ndim == 4 else (1, 1)
