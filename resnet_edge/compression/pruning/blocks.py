"""Runs in a worker. The residual blocks of a network, and the network without some of them.

A block whose shortcut is the identity still works without its branch: its Add goes, and what it
added to goes on (Veit et al., "Residual Networks Behave Like Ensembles of Relatively Shallow
Networks", arXiv:1605.06431). The network without a branch computes what the full one does
where that branch gives zeros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import inf
from typing import Any

import keras
from keras import layers, tree

from resnet_edge.compression.pruning import axes, passing
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor

_UNCHANGED = (
    layers.Identity, layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout, layers.GaussianNoise,
)  # fmt: skip
"""They hand on what they get when the network is used."""


@dataclass(frozen=True)
class ResidualBlock:
    """A residual block, named after its Add.

    `branch` are the calls that only serve it, in order, and `shortcut` the tensor that it adds
    them to. `reason`: why it has to stay (None: it can be removed; else there is no branch and no
    shortcut).
    """

    name: str
    branch: tuple[str, ...] = ()
    shortcut: FlatTensor | None = None
    reason: str | None = None


def blocks(graph: FlatGraph) -> tuple[ResidualBlock, ...]:
    """Every Add of `graph`, in order, with its branch or with the reason why it stays."""
    finder = _Finder(graph)
    return tuple(finder.block(call) for call in graph.calls if passing.is_addition(call))


def removable(graph: FlatGraph, exclude: Iterable[str] = ()) -> tuple[ResidualBlock, ...]:
    """The blocks that can go and hold no layer that `exclude` (names or globs) matches."""
    return tuple(
        block
        for block in blocks(graph)
        if block.reason is None
        and not any(fnmatchcase(name, p) for p in exclude for name in (block.name, *block.branch))
    )


def without(graph: FlatGraph, names: Iterable[str]) -> FlatGraph:
    """`graph` without the blocks of these names; the names of all other calls stay.

    A ReLU behind such an Add goes too where what is left before it has passed the same one
    already. A block inside a branch that is gone is passed over.

    Raises ModelError where a block is not there or has to stay, with the reason.
    """
    known = {call.name for call in graph.calls}
    for name in names:
        residual = next((block for block in blocks(graph) if block.name == name), None)
        if residual is None and name in known:
            continue
        if residual is None or residual.reason:
            why = residual.reason if residual else "there is none of that name"
            raise ModelError(f"the block {name} of {graph.name} cannot be removed: {why}")
        graph = _without(graph, residual)
    return graph


def check_any(graph: FlatGraph, exclude: Iterable[str] = ()) -> None:
    """Raises ModelError, with the reasons, where no block can be removed."""
    if removable(graph, exclude):
        return
    stays = [f"{block.name}: {block.reason or 'it is excluded'}" for block in blocks(graph)]
    reasons = "; ".join(stays[:3]) or "it adds no two tensors"
    raise ModelError(f"{graph.name} has no block that can be removed ({reasons}): prune its channels only")


class _Finder:
    """The graph, with who makes and who reads each tensor."""

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._makers = {call.output: call for call in graph.calls}
        self._readers: dict[FlatTensor, list[Call]] = {}
        for call in graph.calls:
            for tensor in call.inputs:
                self._readers.setdefault(tensor, []).append(call)
        self._uses = Counter(id(call.operation) for call in graph.calls)

    def block(self, addition: Call) -> ResidualBlock:
        inputs = addition.inputs
        if len(inputs) != 2 or len(tree.flatten((addition.args, addition.kwargs))) != 2:
            return ResidualBlock(addition.name, reason="it adds something else than two tensors")
        for shortcut, end in (inputs, inputs[::-1]):
            carried = self._carried(shortcut)
            if end in carried:
                return ResidualBlock(addition.name, reason="it adds a tensor to itself")
            branch = self._between(carried, end)
            if branch is not None:
                reason = self._obstacle(addition, shortcut, branch)
                names = tuple(call.name for call in branch)
                stays = ResidualBlock(addition.name, reason=reason)
                return stays if reason else ResidualBlock(addition.name, names, shortcut)
        makers = " and ".join(self._makers[tensor].name for tensor in inputs if tensor in self._makers)
        return ResidualBlock(addition.name, reason=f"its shortcut is not the identity ({makers} are added)")

    def _carried(self, tensor: FlatTensor) -> set[FlatTensor]:
        """`tensor`, and those that it is handed on from unchanged."""
        tensors = {tensor}
        while (maker := self._makers.get(tensor)) and type(maker.operation) in _UNCHANGED:
            tensor = maker.inputs[0]
            tensors.add(tensor)
        return tensors

    def _between(self, start: set[FlatTensor], end: FlatTensor) -> list[Call] | None:
        """The calls that make `end` of `start`, in order; None where it depends on more than that."""
        inside: set[FlatTensor] = set()
        todo = [end]
        while todo:
            tensor = todo.pop()
            if tensor in start or tensor in inside:
                continue
            maker = self._makers.get(tensor)
            if maker is None or not maker.inputs:
                return None
            inside.add(tensor)
            todo += maker.inputs
        return [call for call in self._graph.calls if call.output in inside]

    def _obstacle(self, addition: Call, shortcut: FlatTensor, branch: list[Call]) -> str | None:
        maker = self._makers.get(shortcut)
        shape = maker.shape if maker else (None, *self._graph.shape)
        if shape[1:] != addition.shape[1:]:
            return "it adds tensors of different shapes"
        inside = {call.name for call in branch}
        uses = Counter(id(call.operation) for call in branch)
        for call in branch:
            others = [r for r in self._readers[call.output] if r.name not in {addition.name, *inside}]
            if others or call.output == self._graph.output:
                reader = others[0].name if others else "the output"
                return f"{reader} reads {call.name}, which is in its branch"
            shared = self._uses[id(call.operation)] > uses[id(call.operation)]
            if shared and len(getattr(call.operation, "weights", [])):
                return f"{call.name} in its branch is called elsewhere, too"
        return None


def _without(graph: FlatGraph, block: ResidualBlock) -> FlatGraph:
    addition = next(call for call in graph.calls if call.name == block.name)
    assert block.shortcut is not None
    instead = {addition.output: block.shortcut}
    gone, calls = {block.name, *block.branch}, []
    for call in graph.calls:
        if call.name in gone:
            continue
        if addition.output in call.inputs and _does_nothing(call, graph, block.shortcut):
            instead[call.output] = block.shortcut
            continue
        calls.append(_reading(call, instead))
    output = instead.get(graph.output, graph.output)
    return replace(graph, calls=tuple(calls), output=output)


def _reading(call: Call, instead: dict[FlatTensor, FlatTensor]) -> Call:
    """`call` with other tensors in place of those that are gone."""
    if not any(tensor in instead for tensor in call.inputs):
        return call

    def other(leaf: Any) -> Any:
        return instead.get(leaf, leaf) if isinstance(leaf, FlatTensor) else leaf

    args, kwargs = tree.map_structure(other, (call.args, call.kwargs))
    return replace(call, args=args, kwargs=kwargs)


def _does_nothing(call: Call, graph: FlatGraph, source: FlatTensor) -> bool:
    """Whether `call` only limits its input, and `source` is within these limits already."""
    alone = not isinstance(call.operation, keras.Layer) or type(call.operation) in (
        layers.ReLU,
        layers.Activation,
    )
    wanted = _limits(call) if alone else None
    if wanted is None:
        return False
    maker = graph.producer(source)
    while maker and type(maker.operation) in (layers.Identity, layers.MaxPooling2D):  # these stay within
        maker = graph.producer(maker.inputs[0])
    limits = _limits(maker) if maker else None
    return limits is not None and limits[0] >= wanted[0] and limits[1] <= wanted[1]


def _limits(call: Call) -> tuple[float, float] | None:
    """Between what a ReLU at the end of `call` leaves its output; None: there is none."""
    operation = call.operation
    if not isinstance(operation, keras.Layer):
        if not type(operation).__module__.startswith("keras."):
            return None
        known = {"Relu": (0.0, inf), "Relu6": (0.0, 6.0)}
        return _relu_limits(operation) if call.kind == "ReLU" else known.get(call.kind)
    if type(operation) is layers.Activation or type(operation) in axes.SLICEABLE:
        operation = getattr(operation, "activation", None)
    if type(operation) is layers.ReLU:
        return _relu_limits(operation)
    if operation is keras.activations.relu:
        return 0.0, inf
    return (0.0, 6.0) if operation is keras.activations.relu6 else None


def _relu_limits(relu: Any) -> tuple[float, float] | None:
    """Of the layer, or of what keras.activations.relu leaves in a graph, which has the same arguments."""
    if relu.negative_slope or relu.threshold:
        return None
    return 0.0, inf if relu.max_value is None else float(relu.max_value)
