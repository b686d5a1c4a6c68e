"""A whole file, as a processor without VNNI runs it: layers of integers here, all else by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.diagnosis.overflow.integer_layers import EMULATED, OTHERS, halved, integer_layer
from resnet_edge.diagnosis.overflow.sums import LayerSums

Values = dict[str, NDArray[Any]]


class Emulation:
    """`layers` in the order of execution; `left_out` names layers of integers that ONNX Runtime computes
    itself, exactly."""

    def __init__(self, optimized: onnx.ModelProto) -> None:
        """Raises ArtifactError where the graph is not one that is understood here."""
        graph = optimized.graph
        constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        inputs = [entry.name for entry in graph.input if entry.name not in constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise ArtifactError(
                f"it has {len(inputs)} inputs and {len(graph.output)} outputs: one of each is read"
            )
        self._input, self._output = inputs[0], graph.output[0].name
        self.layers: list[LayerSums] = []
        self.left_out: list[str] = []
        self._steps = self._cut(optimized, constants)

    def run(self, image: NDArray[Any], cut: bool = True) -> NDArray[Any]:
        """The output for an image (1, H, W, C) in the input's dtype; `cut` as LayerSums.run. Raises
        ArtifactError."""
        values: Values = {self._input: image}
        for step in self._steps:
            if isinstance(step, LayerSums):
                values[step.layer.gives] = step.run(values[step.layer.reads], cut)
            else:
                step.run(values)
        return values[self._output]

    def halved(self) -> Emulation:
        """The same with weights of 7 bits wherever sums are narrow."""
        twin = copy(self)
        twin._steps = [
            LayerSums(halved(step.layer)) if isinstance(step, LayerSums) and step.layer.narrow else step
            for step in self._steps
        ]
        twin.layers = [step for step in twin._steps if isinstance(step, LayerSums)]
        return twin

    def _cut(self, model: onnx.ModelProto, constants: Mapping[str, NDArray[Any]]) -> list[LayerSums | _Piece]:
        """The graph as layers of integers and the pieces between them."""
        groups: list[LayerSums | list[onnx.NodeProto]] = []
        for node in model.graph.node:
            layer = self._layer(node, constants)
            if layer is not None:
                groups.append(layer)
            elif groups and isinstance(groups[-1], list):
                groups[-1].append(node)
            else:
                groups.append([node])
        wanted = {self._output}
        steps: list[LayerSums | _Piece] = []
        for group in reversed(groups):
            if isinstance(group, LayerSums):
                steps.append(group)
                wanted.add(group.layer.reads)
            else:
                steps.append(_Piece(model, group, wanted, constants))
                wanted.update(name for node in group for name in node.input)
        return steps[::-1]

    def _layer(self, node: onnx.NodeProto, constants: Mapping[str, NDArray[Any]]) -> LayerSums | None:
        if node.op_type in OTHERS:
            self.left_out.append(node.name or node.output[0])
        if node.op_type not in EMULATED:
            return None
        try:
            layer = LayerSums(integer_layer(node, constants))
        except KeyError:  # its weights are computed
            self.left_out.append(node.name or node.output[0])
            return None
        self.layers.append(layer)
        return layer


class _Piece:
    """Nodes that follow each other, as a model of their own; opened when it is known what goes in."""

    def __init__(
        self,
        model: onnx.ModelProto,
        nodes: Sequence[onnx.NodeProto],
        wanted: set[str],
        constants: Mapping[str, NDArray[Any]],
    ) -> None:
        produced = {name for node in nodes for name in node.output}
        read = dict.fromkeys(name for node in nodes for name in node.input if name)
        self._model, self._nodes = model, nodes
        self._reads = [name for name in read if name not in produced and name not in constants]
        self._gives = sorted(produced & wanted)
        self._session: ort.InferenceSession | None = None

    def run(self, values: Values) -> None:
        if not self._gives:
            return
        fed = {name: values[name] for name in self._reads}
        try:
            self._session = self._session or self._opened(fed)
            values.update(zip(self._gives, self._session.run(self._gives, fed), strict=True))
        except Exception as error:  # ORT's exceptions share no base of their own
            raise ArtifactError(f"its graph does not run in pieces ({first_line(error)})") from error

    def _opened(self, fed: Values) -> ort.InferenceSession:
        inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), (None,) * value.ndim
            )
            for name, value in fed.items()
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in self._gives]
        read = {name for node in self._nodes for name in node.input}
        kept = [each for each in self._model.graph.initializer if each.name in read]
        piece = helper.make_model(
            helper.make_graph(list(self._nodes), "piece", inputs, outputs, kept),
            opset_imports=self._model.opset_import,
            ir_version=self._model.ir_version,
        )
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        return ort.InferenceSession(piece.SerializeToString(), options, providers=["CPUExecutionProvider"])
