"""The layers of a .tflite file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from resnet_edge.explanation.layers import Builder, Grid, Layer, Network, Real
from resnet_edge.explanation.rewritten import canonical, spread
from resnet_edge.graph.model import ABSENT, Graph, Node, Tensor, read_graph, with_folded_casts
from resnet_edge.graph.window import Pads, added, same

SAME = 0
RELU, RELU6 = 1, 3
POSITIVE = frozenset({RELU, RELU6})
KINDS = {
    "CONV_2D": "conv",
    "DEPTHWISE_CONV_2D": "depthwise",
    "FULLY_CONNECTED": "dense",
    "ADD": "add",
    "MUL": "scale",
    "SUB": "shift",
    "DIV": "scale",
    "MEAN": "mean",
    "AVERAGE_POOL_2D": "pool",
    "MAX_POOL_2D": "pool",
    "SOFTMAX": "softmax",
}
MOVES = frozenset({"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "PADV2", "CAST"})
ACTIVATIONS = frozenset({"RELU", "RELU6"})
BIAS_SCALE, BIAS_MOVED = 1e-3, 0.5
"""Share of a scale, and of a step of the output: TensorFlow's converter writes biases of int16 activations in
steps of their own where that changes nothing, as of 0."""
BLOCKS = "SPACE_TO_DEPTH"


def read_tflite(path: Path) -> Network:
    """Raises ArtifactError."""
    return canonical(_Reader(with_folded_casts(read_graph(path))).network())


class _Reader:
    """The state while the nodes are gone through."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.found = Builder([graph.tensors[index].name for index in graph.inputs])
        self.pads: dict[int, Pads] = {}
        self.blocks: set[int] = set()

    def network(self) -> Network:
        for node in self.graph.nodes:
            self._node(node)
        return self.found.network()

    def _node(self, node: Node) -> None:
        if not (node.inputs and node.outputs):  # a variable: nothing that a classifier computes
            self.found.odd(self._name(node.outputs[0]) if node.outputs else node.op, node.op.lower())
            return
        given, out = node.inputs[0], node.outputs[0]
        names = self._name(given), self._name(out)
        if node.op in ("QUANTIZE", "DEQUANTIZE"):
            self.found.behind(*names, grid=self._grid(self.graph.tensors[out]))
            self._keep_blocks(node)
            if given in self.pads:
                self.pads[out] = self.pads[given]
        elif node.op in MOVES or node.op == BLOCKS:
            self.found.move(*names)
            self._keep_blocks(node)
            self._pad(node)
        elif node.op in ACTIVATIONS:
            self.found.behind(*names, positive=True, limit=6.0 if node.op == "RELU6" else None)
        elif node.op in KINDS:
            self._layer(node, out)
        else:
            self.found.odd(names[1], *_meaning(node))
            self.found.move(*names)

    def _keep_blocks(self, node: Node) -> None:
        if node.op == BLOCKS or node.inputs[0] in self.blocks:
            self.blocks.add(node.outputs[0])

    def _pad(self, node: Node) -> None:
        if node.op not in ("PAD", "PADV2"):
            return
        amounts = self.graph.tensors[node.inputs[1]].data
        if amounts is not None and len(amounts) == 4:
            (top, bottom), (left, right) = amounts[1].tolist(), amounts[2].tolist()
            self.pads[node.outputs[0]] = (top, left, bottom, right)

    def _layer(self, node: Node, out: int) -> None:
        tensors = self.graph.tensors
        data = [tensors[i] for i in node.inputs if i != ABSENT]
        constants = [tensor for tensor in data if tensor.data is not None]
        kind = KINDS[node.op]
        if node.op in ("SUB", "DIV") and tensors[node.inputs[0]].data is not None:
            self.found.odd(self._name(out), *_meaning(node))  # a constant less, or over, what is computed
            self.found.move(self._name(node.inputs[1]), self._name(out))
            return
        if node.op in ("ADD", "SUB", "MUL", "DIV") and not constants:
            kind = "add"
        elif node.op == "ADD":
            kind = "shift"
        reads = tuple(self.found.source(tensor.name) for tensor in data if tensor.data is None)
        shape = tuple(size or 1 for size in tensors[out].shape[1:])
        fused = node.options.get("fusedActivationFunction", 0)
        layer = Layer(
            self._name(out),
            kind,
            shape,
            reads,
            positive=fused in POSITIVE,
            limit=6.0 if fused == RELU6 else None,
            grid=self._grid(tensors[out]),
        )
        if kind in ("conv", "depthwise", "dense"):
            layer = self._weighted(layer, node)
            self._check_bias(layer, node)
        elif constants:
            layer = _with_vector(layer, _real(constants[0]).ravel(), node.op)
        self.found.add(layer)

    def _weighted(self, layer: Layer, node: Node) -> Layer:
        tensors = self.graph.tensors
        kernel = tensors[node.inputs[1]]
        if kernel.data is None:
            return layer
        bias = tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] != ABSENT else None
        weights = _real(kernel)
        if layer.kind == "depthwise":
            weights = weights.transpose(3, 1, 2, 0)
        if layer.kind == "dense":
            weights = weights.reshape(len(weights), 1, 1, -1)
        stored = None
        if kernel.quantization is not None and kernel.data.dtype.kind in "iu":
            stored = kernel.data.transpose(3, 1, 2, 0) if layer.kind == "depthwise" else kernel.data
            stored = stored.reshape(weights.shape)
        found = replace(
            layer,
            weights=weights,
            bias=np.zeros(len(weights)) if bias is None or bias.data is None else _real(bias).ravel(),
            step=_steps(kernel, len(weights)) if stored is not None else None,
            stored=stored,
            stride=_pair(node, "stride{}"),
            dilation=_pair(node, "dilation{}Factor"),
        )
        found = replace(found, padding=self._padding(node, found))
        return spread(found) if node.inputs[0] in self.blocks else found

    def _check_bias(self, layer: Layer, node: Node) -> None:
        """The specification of int8 wants the scale of a bias to be that of the input times that of the
        weights (ai.google.dev/edge/litert/models/quantization_spec)."""
        if layer.step is None or len(node.inputs) < 3 or node.inputs[2] == ABSENT:
            return
        image, bias = self.graph.tensors[node.inputs[0]], self.graph.tensors[node.inputs[2]]
        if image.quantization is None or bias.quantization is None:
            return
        wanted = layer.step * image.quantization.scale[0]
        found = np.array(bias.quantization.scale)
        if len(found) not in (1, len(wanted)) or bias.data is None or layer.grid is None:
            return
        other = np.abs(found / wanted - 1) > BIAS_SCALE
        if image.dtype == "int16":
            other &= np.abs(bias.data.ravel() * (found - wanted)) > BIAS_MOVED * layer.grid.step
        if other.any():
            text = (
                f"has biases in steps that are {found[0] / wanted[0]:.4g} times those of its input and "
                "weights: was the scale of one of them changed afterwards?"
            )
            self.found.oddities.append((layer.name, text))

    def _padding(self, node: Node, layer: Layer) -> Pads | None:
        before = self.pads.get(node.inputs[0], (0, 0, 0, 0))
        if layer.kind == "dense" or layer.weights is None or node.options.get("padding", SAME) != SAME:
            return before
        image = tuple(size or 0 for size in self.graph.tensors[node.inputs[0]].shape[1:3])
        kernel = layer.weights.shape[1], layer.weights.shape[2]
        around = same(image, kernel, layer.stride, layer.dilation)
        return None if around is None else added(before, around)

    def _name(self, index: int) -> str:
        return self.graph.tensors[index].name

    def _grid(self, tensor: Tensor) -> Grid | None:
        if tensor.quantization is None or not tensor.dtype.startswith(("int", "uint")):
            return None
        ends = np.iinfo(tensor.dtype)
        scale, zero = tensor.quantization.scale[0], tensor.quantization.zero_point[0]
        return Grid(scale * (ends.min - zero), scale * (ends.max - zero), scale)


def _pair(node: Node, option: str) -> tuple[int, int]:
    height, width = (int(node.options.get(option.format(axis)) or 1) for axis in "HW")
    return height, width


def _real(tensor: Tensor) -> Real:
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


def _steps(tensor: Tensor, count: int) -> Real:
    assert tensor.quantization is not None
    scale = np.array(tensor.quantization.scale, np.float64)
    return np.broadcast_to(scale, (count,)).copy() if len(scale) == 1 else scale


def _with_vector(layer: Layer, values: Real, op: str) -> Layer:
    if layer.kind == "scale":
        return replace(layer, weights=(1 / values if op == "DIV" else values).reshape(-1, 1, 1, 1))
    return replace(layer, bias=-values if op == "SUB" else values)


def _meaning(node: Node) -> tuple[str, str]:
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
