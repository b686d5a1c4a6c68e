"""The steps of a .tflite file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from resnet_edge.core.errors import ArtifactError
from resnet_edge.diagnosis.layers.steps import (
    Constant,
    Kind,
    LayerStep,
    OpenedSteps,
    StepGrid,
    Weights,
    affine,
    leading_to,
    rounded_of,
    stored,
    without_sizes,
)
from resnet_edge.graph.model import ABSENT, Graph, Node, Tensor, read_graph

WEIGHTED = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 1}
"""And which operand is the kernel."""
MOVES = frozenset({
    "QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "PADV2", "MIRROR_PAD",
    "TRANSPOSE", "CAST", "CONCATENATION", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "GATHER",
    "RESIZE_NEAREST_NEIGHBOR", "MAX_POOL_2D", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND",
    "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "PACK", "UNPACK", "REVERSE_V2", "TILE", "BROADCAST_TO",
    "REDUCE_MAX",
})  # fmt: skip
GAINS = {
    **dict.fromkeys((
        "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "AVERAGE_POOL_2D", "MEAN", "RESIZE_BILINEAR",
        "TANH", "LOGISTIC", "ABS", "NEG", "MINIMUM", "MAXIMUM", "SOFTMAX", "LEAKY_RELU", "ELU",
    ), 1.0),
    "HARD_SWISH": 1.5,
    "GELU": 1.13,
}  # fmt: skip
"""The steepest slope of each."""
PAIRS: dict[str, Kind] = {
    "ADD": "sum", "SUB": "sum", "MUL": "product", "PRELU": "elementwise", "DIV": "quotient",
}  # fmt: skip
EXACT = MOVES | WEIGHTED.keys() | {"RELU", "RELU6"}
"""Integer kernels that round once. All others may be a step off beside it (the quantization specification,
ai.google.dev/edge/litert/models/quantization_spec, lets them)."""
BIAS_SCALE = 1e-3


def open_tflite(path: Path) -> OpenedSteps:
    """Raises ArtifactError where the file is none, or has not one input and one output."""
    return steps_of(read_graph(path), path.name)


def steps_of(graph: Graph, name: str) -> OpenedSteps:
    """The steps of a graph; `name` is the file's, for errors."""
    if (len(graph.inputs), len(graph.outputs)) != (1, 1):
        raise ArtifactError(f"{name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs")
    return _Reader(graph).opened()


class _Reader:
    """The state while the nodes are gone through: constants by tensor, those behind a DEQUANTIZE too."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.constants = {i: constant_of(t) for i, t in enumerate(graph.tensors) if t.data is not None}
        self.oddities: list[tuple[str, str]] = []
        self.names = tensor_names(graph)

    def opened(self) -> OpenedSteps:
        graph, end = self.graph, self._name(self.graph.outputs[0])
        produced = {graph.inputs[0], *(i for node in graph.nodes for i in node.outputs)}
        rounded = {self._name(i): grid for i in produced if (grid := grid_of(graph.tensors[i]))}
        return OpenedSteps(
            steps=leading_to(end, without_sizes(self._steps())),
            grids=rounded,
            entry=self._name(graph.inputs[0]),
            exit=end,
            oddities=tuple(self.oddities),
        )

    def _steps(self) -> Iterator[LayerStep]:
        for node in self.graph.nodes:
            if node.op in ("DEQUANTIZE", "RESHAPE") and node.inputs[0] in self.constants:
                self.constants[node.outputs[0]] = self.constants[node.inputs[0]]
            else:
                yield self._step(node)

    def _step(self, node: Node) -> LayerStep:
        given = [i for i in node.inputs if i != ABSENT]
        reads = tuple(self._name(i) for i in given if i not in self.constants)
        gives = tuple(self._name(i) for i in node.outputs)
        kind: Kind = "other"
        weights, constant = None, None
        if node.op in WEIGHTED and node.inputs[1] in self.constants:
            kind, weights = "weighted", self._weights(node)
        elif node.op in MOVES:
            kind = "move"
        elif node.op in GAINS:
            kind = "elementwise"
        elif node.op in PAIRS:
            kind = PAIRS[node.op]
            constant = next((self.constants[i] for i in given if i in self.constants), None)
        else:
            constant = rounded_of(self.constants[i] for i in given if i in self.constants)
        gain = max(1.0, abs(float(node.options.get("alpha") or 0))) * GAINS.get(node.op, 1.0)
        if node.op == "PRELU" and constant is not None:
            gain = max(gain, float(np.abs(constant.values).max()))
        return LayerStep(
            op=node.op.lower(),
            kind=kind,
            reads=reads,
            gives=gives,
            constant=constant,
            weights=weights,
            gain=gain,
            axes=self._axes(node),
            window=_window(node),
            exact=node.op in EXACT,
        )

    def _axes(self, node: Node) -> tuple[int, ...] | None:
        if node.op != "TRANSPOSE" or node.inputs[1] not in self.constants:
            return None
        return tuple(int(axis) for axis in self.constants[node.inputs[1]].values)

    def _weights(self, node: Node) -> Weights:
        tensors, kernel = self.graph.tensors, self.constants[node.inputs[1]]
        values, variance = kernel.values, np.broadcast_to(kernel.variance, kernel.values.shape)
        if node.op == "DEPTHWISE_CONV_2D":
            values, variance = values.transpose(3, 1, 2, 0), variance.transpose(3, 1, 2, 0)
        elif node.op == "FULLY_CONNECTED":
            values, variance = values[:, None, None], variance[:, None, None]
        image = tensors[node.inputs[2 if node.op == "TRANSPOSE_CONV" else 0]]
        at = 3 if node.op == "TRANSPOSE_CONV" else 2
        bias = self.constants.get(node.inputs[at]) if len(node.inputs) > at else None
        self._look(node, kernel, image, bias)
        channels = image.shape[-1] or values.shape[3]
        return Weights(
            name=self._name(node.inputs[1]),
            kernel=values,
            variance=variance,
            bias=bias,
            groups=max(channels // values.shape[3], 1) if node.op != "FULLY_CONNECTED" else 1,
            axis=-1,
        )

    def _look(self, node: Node, kernel: Constant, image: Tensor, bias: Constant | None) -> None:
        """Remarks. The specification of int8 wants the scale of a bias to be that of the input times that of
        the weights (ai.google.dev/edge/litert/models/quantization_spec)."""
        out = self._name(node.outputs[0])
        if bias is None or not bias.steps or not kernel.steps or image.quantization is None:
            return
        wanted = np.unique(np.multiply(kernel.steps, image.quantization.scale[0]))
        if image.dtype == "int8" and len(wanted) == len(bias.steps):
            apart = float(np.abs(np.divide(np.unique(bias.steps), wanted) - 1).max())
            if apart > BIAS_SCALE:
                text = f"its bias has a scale that is {100 * apart:.2g} % off that of its input and weights"
                self.oddities.append((out, text))

    def _name(self, index: int) -> str:
        return self.names[index]


def tensor_names(graph: Graph) -> list[str]:
    """A name for each tensor that no other has."""
    known = Counter(tensor.name for tensor in graph.tensors)
    return [t.name if known[t.name] == 1 else f"{t.name}#{i}" for i, t in enumerate(graph.tensors)]


def constant_of(tensor: Tensor) -> Constant:
    """As real numbers."""
    assert tensor.data is not None
    if tensor.quantization is None or tensor.data.dtype.kind == "f":
        return stored(tensor.data)
    grid = tensor.quantization
    shape = [1] * tensor.data.ndim
    if grid.axis is not None and len(grid.scale) > 1:
        shape[grid.axis % tensor.data.ndim] = -1
    scale, zero = np.array(grid.scale), np.array(grid.zero_point)
    return affine(tensor.data, scale, zero, tuple(shape) if len(scale) > 1 else ())


def grid_of(tensor: Tensor) -> StepGrid | None:
    """What an integer activation can hold; None of one in float."""
    if tensor.quantization is None or not tensor.dtype.startswith(("int", "uint")):
        return None
    ends = np.iinfo(tensor.dtype)
    scale, zero = tensor.quantization.scale[0], tensor.quantization.zero_point[0]
    return StepGrid(low=scale * (ends.min - zero), high=scale * (ends.max - zero), step=scale)


def _window(node: Node) -> str:
    """Words that tell how a kernel moves, for a person to compare."""
    if node.op not in WEIGHTED and "POOL" not in node.op:
        return ""
    options = node.options
    stride = f"{options.get('strideH') or 1} x {options.get('strideW') or 1}"
    dilation = f"{options.get('dilationHFactor') or 1} x {options.get('dilationWFactor') or 1}"
    return f"stride {stride}, dilation {dilation}" if node.op != "FULLY_CONNECTED" else ""
