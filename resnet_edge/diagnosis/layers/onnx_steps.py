"""The steps of an .onnx file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.diagnosis.layers.onnx_constants import OnnxConstants
from resnet_edge.diagnosis.layers.onnx_nodes import attributes, in_order
from resnet_edge.diagnosis.layers.onnx_qoperators import with_real_operations
from resnet_edge.diagnosis.layers.steps import (
    Kind,
    LayerStep,
    OpenedSteps,
    StepGrid,
    Weights,
    leading_to,
    rounded_of,
    without_sizes,
)

MOVES = frozenset({
    "QuantizeLinear", "DequantizeLinear", "MaxPool", "Transpose", "Reshape", "Flatten", "Squeeze",
    "Unsqueeze", "Identity", "Cast", "Pad", "Concat", "Slice", "Split", "Gather", "DepthToSpace",
    "SpaceToDepth", "Expand", "Tile", "ReduceMax", "GlobalMaxPool", "Dropout",
})  # fmt: skip
GAINS = {
    **dict.fromkeys((
        "Relu", "Clip", "GlobalAveragePool", "AveragePool", "ReduceMean", "Sigmoid", "Tanh", "Abs",
        "Neg", "Softmax", "Elu", "Min", "Max", "HardSigmoid", "Softplus", "LeakyRelu", "PRelu",
    ), 1.0),
    "HardSwish": 1.5,
    "Gelu": 1.13,
}  # fmt: skip
"""The steepest slope of each."""
PAIRS: dict[str, Kind] = {
    "Add": "sum", "Sub": "sum", "Mul": "product", "Div": "quotient", "BatchNormalization": "product",
}  # fmt: skip
PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


def open_onnx(path: Path) -> OpenedSteps:
    """Raises ArtifactError where the file is none, or has not one input and one output."""
    return steps_of(real_model(path), path.name)


def real_model(path: Path) -> onnx.ModelProto:
    """The file with each operation on real numbers, between QuantizeLinear and DequantizeLinear where it was
    one on integers. Raises ArtifactError."""
    try:
        return with_real_operations(in_order(onnx.load(str(path), load_external_data=True)))
    except Exception as error:  # protobuf's errors, and a graph that refers to what is not there
        raise ArtifactError(f"{path.name}: its layers cannot be read ({first_line(error)})") from error


def steps_of(model: onnx.ModelProto, name: str) -> OpenedSteps:
    """The steps of a model; `name` is the file's, for errors. Raises ArtifactError."""
    try:
        return _Reader(model.graph, name).opened()
    except ArtifactError:
        raise
    except Exception as error:  # a graph that refers to what is not there
        raise ArtifactError(f"{name}: its layers cannot be read ({first_line(error)})") from error


class _Reader:
    """The state while the nodes are gone through."""

    def __init__(self, graph: onnx.GraphProto, name: str) -> None:
        self.graph = graph
        self.constants = OnnxConstants(graph)
        entries = [value for value in graph.input if value.name not in self.constants]
        if (len(entries), len(graph.output)) != (1, 1):
            raise ArtifactError(f"{name} has {len(entries)} inputs and {len(graph.output)} outputs")
        self.entry = entries[0].name
        self.grids: dict[str, StepGrid] = {}
        self.oddities: list[tuple[str, str]] = []

    def opened(self) -> OpenedSteps:
        end = self.graph.output[0].name
        return OpenedSteps(
            steps=leading_to(end, without_sizes(self._steps())),
            grids=self.grids,
            entry=self.entry,
            exit=end,
            oddities=tuple(self.oddities),
        )

    def _steps(self) -> Iterator[LayerStep]:
        for node in self.graph.node:
            if self.constants.take(node):
                continue
            step = self._step(node)
            self._types(node, step)
            yield step

    def _step(self, node: onnx.NodeProto) -> LayerStep:
        reads = tuple(name for name in node.input if name and name not in self.constants)
        fixed = [name for name in node.input if name and name in self.constants]
        options, op = attributes(node), node.op_type
        kind: Kind = "other"
        weights, constant, gain = None, None, 1.0
        if op in PRODUCTS and (weights := self._weights(node)) is not None:
            kind = "weighted"
        elif op in MOVES or (op == "Resize" and options.get("mode", b"nearest") == b"nearest"):
            kind = "move"
        elif op in GAINS or (op in ("Resize", "Upsample") and options.get("mode", b"nearest") == b"linear"):
            kind = "elementwise"
            gain = max(GAINS.get(op, 1.0), abs(options.get("alpha", 0)) if op in ("LeakyRelu", "Elu") else 0)
        elif op in PAIRS and (op != "Div" or node.input[0] not in self.constants):
            kind = PAIRS[op]
            constant = self.constants.real(fixed[0]) if fixed else None
        else:
            constant = rounded_of(map(self.constants.real, fixed))
        if op == "PRelu" and fixed:
            constant = self.constants.real(fixed[0])
            gain = max(1.0, float(np.abs(constant.values).max()))
        if op == "BatchNormalization":
            kind, gain = "elementwise", self._steepest(node)
        return LayerStep(
            op=op.lower(),
            kind=kind,
            reads=reads,
            gives=tuple(name for name in node.output if name),
            constant=constant,
            weights=weights,
            gain=gain,
            axes=tuple(options["perm"]) if op == "Transpose" and "perm" in options else None,
            window=_window(node),
            exact=op in MOVES or op in PRODUCTS,
        )

    def _steepest(self, node: onnx.NodeProto) -> float:
        """The largest factor of a normalization with constants."""
        if not all(name in self.constants for name in node.input[1:]):
            return np.inf
        gamma, variance = (self.constants.real(node.input[at]).values for at in (1, 4))
        return float(np.abs(gamma / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))).max())

    def _weights(self, node: onnx.NodeProto) -> Weights | None:
        """None where the kernel is computed, or has another rank than that of an image."""
        if len(node.input) < 2 or node.input[1] not in self.constants or node.input[0] in self.constants:
            return None
        kernel, options, op = self.constants.real(node.input[1]), attributes(node), node.op_type
        values, variance = kernel.values, np.broadcast_to(kernel.variance, kernel.values.shape)
        groups = int(options.get("group", 1))
        if values.ndim != (4 if "Conv" in op else 2) or (op == "ConvTranspose" and groups > 1):
            return None
        if op == "Conv":
            order: tuple[int, ...] = (0, 2, 3, 1)
        elif op == "ConvTranspose":
            order = (1, 2, 3, 0)
        else:
            order = (0, 1) if op == "Gemm" and options.get("transB", 0) else (1, 0)
        values, variance = values.transpose(order), variance.transpose(order)
        if values.ndim == 2:
            values, variance = values[:, None, None], variance[:, None, None]
        bias = node.input[2] if len(node.input) > 2 else ""
        return Weights(
            name=node.input[1],
            kernel=values,
            variance=variance,
            bias=self.constants.real(bias) if bias in self.constants else None,
            groups=groups,
            axis=1 if "Conv" in op else -1,
        )

    def _types(self, node: onnx.NodeProto, step: LayerStep) -> None:
        """The number types of what a step gives."""
        if node.op_type == "QuantizeLinear":
            self.grids[node.output[0]] = self._grid(node)
        elif node.op_type == "DequantizeLinear":
            self._check(node)
        elif (step.kind == "move" or step.op == "resize") and step.reads and step.reads[0] in self.grids:
            self.grids |= dict.fromkeys(step.gives, self.grids[step.reads[0]])

    def _grid(self, node: onnx.NodeProto) -> StepGrid:
        """With a scale for each channel, the coarsest and widest of all."""
        scale, zero, _ = self.constants.grid_inputs(node)
        ends, at = np.iinfo(zero.dtype), zero.astype(np.float64)
        return StepGrid(
            low=float((scale * (ends.min - at)).min()),
            high=float((scale * (ends.max - at)).max()),
            step=float(scale.max()),
        )

    def _check(self, node: onnx.NodeProto) -> None:
        """A remark where integers are written in one scale and read in another."""
        wrote = self.grids.get(node.input[0])
        scale, zero, _ = self.constants.grid_inputs(node)
        read, at = float(scale.ravel()[0]), float(zero.ravel()[0])
        if wrote is not None and not np.isclose(wrote.step, read, rtol=1e-6):
            text = f"it is stored with scale {wrote.step:.6g} and read with {read:.6g} (zero point {at:g})"
            self.oddities.append((node.output[0], text))


def _window(node: onnx.NodeProto) -> str:
    """Words that tell how a kernel moves, for a person to compare."""
    if node.op_type not in ("Conv", "ConvTranspose", "MaxPool", "AveragePool"):
        return ""
    options = attributes(node)
    stride, dilation = (
        " x ".join(map(str, options.get(name) or (1, 1))) for name in ("strides", "dilations")
    )
    return f"stride {stride}, dilation {dilation}"
