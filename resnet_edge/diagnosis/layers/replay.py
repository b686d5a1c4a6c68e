"""The reference's float graph, computed from what an artifact has at chosen tensors."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.graph.model import ABSENT, graph_of

Array = NDArray[np.float32]
SHAPERS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})


class Replay:
    """A float graph that is cut at the tensors `cuts`, and gives all tensors `watched`.

    Operations that read a cut tensor read what is fed in its place; what the graph itself computes there is
    given all the same. So a section from cut to cut computes with the reference's weights on an artifact's
    own numbers. What reads the same values before they came into the shape of a cut tensor reads these, too.
    `model` is a `schema.ModelT`, and stays as it is. Raises ArtifactError.
    """

    def __init__(self, model: Any, cuts: Sequence[int], watched: Sequence[int]) -> None:
        self.cuts, self.watched = tuple(cuts), tuple(watched)
        self._entry = int(model.subgraphs[0].inputs[0])
        self._same = _same_values(model, self.cuts, self._entry)
        places = (*self.cuts, *self._same)
        try:
            self._interpreter = Interpreter(model_content=_cut(model, places, self.watched), num_threads=1)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(f"the reference's graph cannot be cut: {first_line(error)}") from error
        details = self._interpreter.get_input_details()
        self._inputs = {(self._entry, *places)[i]: one["index"] for i, one in enumerate(details)}
        self._shapes = {one["index"]: tuple(one["shape"]) for one in details}
        outputs = self._interpreter.get_output_details()
        self._outputs = {tensor: one["index"] for tensor, one in zip(self.watched, outputs, strict=True)}

    def __call__(self, image: Array, fed: dict[int, Array]) -> dict[int, Array]:
        """The watched tensors, of an image (1, H, W, C) and of the values of all cut tensors."""
        for tensor, index in self._inputs.items():
            value = image if tensor == self._entry else fed[self._same.get(tensor, tensor)]
            given = np.ascontiguousarray(value, np.float32).reshape(self._shapes[index])
            self._interpreter.set_tensor(index, given)
        self._interpreter.invoke()
        return {tensor: self._interpreter.get_tensor(index) for tensor, index in self._outputs.items()}


def _same_values(model: Any, cuts: Sequence[int], entry: int) -> dict[int, int]:
    """Tensors that are only brought into another shape to become a cut one, which is the value."""
    shaped = {node.outputs[0]: node.inputs[0] for node in graph_of(model).nodes if node.op in SHAPERS}
    held: dict[int, int] = {}
    for cut in cuts:
        tensor = cut
        while (tensor := shaped.get(tensor, entry)) != entry and tensor not in cuts and tensor not in held:
            held[tensor] = cut
    return held


def _cut(model: Any, cuts: Sequence[int], watched: Sequence[int]) -> bytes:
    """The content of a `.tflite` file."""
    shortened = copy.copy(model)
    graph = copy.copy(model.subgraphs[0])
    shortened.subgraphs, shortened.signatureDefs, shortened.metadata = [graph], [], []
    graph.tensors = [*graph.tensors]
    instead: dict[int, int] = {}
    for tensor in cuts:
        twin = copy.copy(graph.tensors[tensor])
        twin.name = b"fed/" + bytes(str(tensor), "ascii")
        instead[tensor] = len(graph.tensors)
        graph.tensors.append(twin)
    graph.operators = [_reading(operator, instead) for operator in graph.operators]
    graph.inputs = [int(graph.inputs[0]), *(instead[tensor] for tensor in cuts)]
    graph.outputs = [*watched]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(shortened.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _reading(operator: Any, instead: dict[int, int]) -> Any:
    if not any(int(i) in instead for i in operator.inputs):
        return operator
    copied = copy.copy(operator)
    copied.inputs = [instead.get(int(i), int(i)) if i != ABSENT else ABSENT for i in operator.inputs]
    return copied
