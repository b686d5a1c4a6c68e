"""The layers of a .tflite file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from resnet_edge.explanation.layers import Builder, Layer, Network
from resnet_edge.explanation.rewritten import canonical, spread
from resnet_edge.explanation.tflite_nodes import grid_of, meaning, pair_of, real, steps, times, with_vector
from resnet_edge.graph.model import ABSENT, Graph, Node, read_graph, with_folded_casts
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
TO_BATCH, TO_SPACE = "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"
"""Around a convolution they spread its kernel: TensorFlow's converter leaves them where the batch is open."""


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
        self.spread_by: dict[int, tuple[int, int]] = {}

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
            self.found.behind(*names, grid=grid_of(self.graph.tensors[out]))
            self._keep_blocks(node)
            if given in self.pads:
                self.pads[out] = self.pads[given]
        elif node.op in MOVES or node.op == BLOCKS:
            self.found.move(*names)
            self._keep_blocks(node)
            self._pad(node)
        elif node.op in (TO_BATCH, TO_SPACE):
            self._spread(node)
        elif node.op in ACTIVATIONS:
            self.found.behind(*names, positive=True, limit=6.0 if node.op == "RELU6" else None)
        elif node.op in KINDS:
            self._layer(node, out)
        else:
            self.found.odd(names[1], *meaning(node))
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

    def _spread(self, node: Node) -> None:
        """Space to batch: pixels that are `block` apart come together, and zeros around them; back again."""
        given, out = node.inputs[0], node.outputs[0]
        block, amounts = (self.graph.tensors[index].data for index in node.inputs[1:3])
        if block is None or amounts is None or block.size != 2:
            self.found.odd(self._name(out), *meaning(node))
            self.found.move(self._name(given), self._name(out))
            return
        (top, bottom), (left, right) = amounts.tolist()
        if node.op == TO_BATCH:
            self.spread_by[out] = int(block[0]), int(block[1])
            self.pads[out] = added(self.pads.get(given, (0, 0, 0, 0)), (top, left, bottom, right))
            self.found.move(self._name(given), self._name(out))
            return
        number = self.found.source(self._name(given))
        if number >= 0 and (layer := self.found.layers[number]).values == self._name(given):
            shape = tuple(size or 1 for size in self.graph.tensors[out].shape[1:])
            cut = None if layer.padding is None else added(layer.padding, (-top, -left, -bottom, -right))
            self.found.layers[number] = replace(layer, shape=shape, padding=cut)
        self.found.behind(self._name(given), self._name(out))

    def _layer(self, node: Node, out: int) -> None:
        tensors = self.graph.tensors
        data = [tensors[i] for i in node.inputs if i != ABSENT]
        constants = [tensor for tensor in data if tensor.data is not None]
        kind = KINDS[node.op]
        if node.op in ("SUB", "DIV") and tensors[node.inputs[0]].data is not None:
            self.found.odd(self._name(out), *meaning(node))  # a constant less, or over, what is computed
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
            grid=grid_of(tensors[out]),
        )
        if kind in ("conv", "depthwise", "dense"):
            layer = self._weighted(layer, node)
            self._check_bias(layer, node)
        elif constants:
            layer = with_vector(layer, constants[0], node.op)
        self.found.add(layer)

    def _weighted(self, layer: Layer, node: Node) -> Layer:
        tensors = self.graph.tensors
        kernel = tensors[node.inputs[1]]
        if kernel.data is None:
            return layer
        bias = tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] != ABSENT else None
        weights = real(kernel)
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
            bias=np.zeros(len(weights)) if bias is None or bias.data is None else real(bias).ravel(),
            step=steps(kernel, len(weights)) if stored is not None else None,
            stored=stored,
            stride=pair_of(node, "stride{}"),
            dilation=times(pair_of(node, "dilation{}Factor"), self.spread_by.get(node.inputs[0], (1, 1))),
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
