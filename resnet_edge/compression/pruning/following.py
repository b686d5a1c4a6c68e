"""Runs in a worker. Every channel of a network, followed through its graph, and what keeps it whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import keras
import numpy as np

from resnet_edge.compression.pruning import axes, passing
from resnet_edge.compression.pruning.channel_ids import ChannelIds, Ids
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor


@dataclass(frozen=True)
class Followed:
    """The numbers of the channels on the last axis of each tensor: what bears the same number stays or goes
    together. `reasons`: of tensors whose channels stay, the first one for each counts. `joined`: the tensors
    that an Add or the like gives."""

    tensors: dict[FlatTensor, Ids]
    reasons: tuple[tuple[FlatTensor, str], ...]
    joined: frozenset[FlatTensor]


def followed(graph: FlatGraph) -> Followed:
    """The channels of `graph`."""
    return _Following(graph).all()


class _Following:
    """Goes from call to call."""

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._ids = ChannelIds()
        self._tensors: dict[FlatTensor, Ids] = {}
        self._reasons: list[tuple[FlatTensor, str]] = []
        self._not_zero: dict[FlatTensor, str] = {}
        self._joined: set[FlatTensor] = set()
        calls = Counter(id(call.operation) for call in graph.calls)
        self._shared = {number for number, count in calls.items() if count > 1}

    def all(self) -> Followed:
        graph = self._graph
        self._new(graph.input, graph.shape[-1])
        self._refuse(graph.input, "its channels are those of the image")
        for call in graph.calls:
            self._visit(call)
        self._reasons.insert(0, (graph.output, "its channels are the network's output"))
        return Followed(self._ids.roots(self._tensors), tuple(self._reasons), frozenset(self._joined))

    def _visit(self, call: Call) -> None:
        if not call.inputs:
            self._new(call.output, _width(call))
            self._refuse(call.output, f"{call.name} makes it from nothing that depends on the image")
        elif passing.is_joint(call):
            self._join(call)
        elif passing.is_product(call):
            self._multiply(call)
        elif passing.is_concatenation(call):
            self._concatenate(call)
        elif isinstance(call.operation, keras.layers.Flatten | keras.layers.Reshape):
            self._flatten(call)
        elif (kind := axes.kind_of(call)) is not None:
            self._layer(call, makes=kind.makes)
        elif type(call.operation) in axes.SLICEABLE:
            self._stop(call, axes.peculiarity(call) or "holds weights beside the usual ones")
        elif obstacle := passing.obstacle(call):
            self._stop(call, obstacle)
        else:
            self._follow(call, call.inputs[0], passing.offset(call))

    def _layer(self, call: Call, makes: bool) -> None:
        source = call.inputs[0]
        if makes:
            self._new(call.output, _width(call))
            if source in self._not_zero:
                self._refuse(source, self._not_zero[source])
        else:
            self._tensors[call.output] = self._tensors[source]
            if source in self._not_zero and not passing.scales(call.operation):
                self._not_zero[call.output] = self._not_zero[source]
        if id(call.operation) in self._shared:
            for tensor in (source, call.output):
                self._refuse(tensor, f"{call.name} is called more than once")
        if obstacle := passing.activation_obstacle(call.operation):
            self._refuse(call.output, f"{call.name} {obstacle}")
        elif offset := passing.activation_offset(call.operation):
            self._not_zero[call.output] = f"{call.name} {offset}"

    def _join(self, call: Call) -> None:
        if len(call.inputs) < len(keras.tree.flatten(call.args)):
            self._stop(call, f"{_verb(call)} a constant")
            return
        if len({(len(self._tensors[t]), self._rank(t)) for t in call.inputs}) > 1:
            self._stop(call, f"{_verb(call)} tensors of different shapes")
            return
        first, *others = call.inputs
        self._follow(call, first)
        self._joined.add(call.output)
        for other in others:
            self._ids.union(self._tensors[first], self._tensors[other])
            if other in self._not_zero:
                self._not_zero.setdefault(call.output, self._not_zero[other])

    def _multiply(self, call: Call) -> None:
        """One factor that is zero is enough; one that has a single channel scales all of them alike."""
        width = _width(call)
        whole = [t for t in call.inputs if len(self._tensors[t]) == width]
        single = [t for t in call.inputs if len(self._tensors[t]) == 1 < width]
        if len(whole) + len(single) < len(call.inputs) or len({self._rank(t) for t in call.inputs}) > 1:
            self._stop(call, "multiplies tensors of different shapes")
            return
        if any(self._not_zero.get(t) is None for t in whole):
            self._tensors[call.output] = self._tensors[whole[0]]
        else:
            self._follow(call, whole[0])
        for other in whole[1:]:
            self._ids.union(self._tensors[whole[0]], self._tensors[other])
        for tensor in single:
            self._refuse(tensor, f"{call.name} ({call.kind}) scales all channels by it")

    def _concatenate(self, call: Call) -> None:
        self._tensors[call.output] = np.concatenate([self._tensors[t] for t in call.inputs])
        for tensor in call.inputs:
            if tensor in self._not_zero:
                self._not_zero.setdefault(call.output, self._not_zero[tensor])

    def _flatten(self, call: Call) -> None:
        """Rows of channels follow one another on the last axis: each channel as often as there are rows."""
        source = call.inputs[0]
        own, size = len(self._tensors[source]), _width(call)
        if size % own or getattr(call.operation, "data_format", None) == "channels_first":
            self._stop(call, "tears the channels apart")
            return
        self._follow(call, source)
        self._tensors[call.output] = np.tile(self._tensors[source], size // own)

    def _stop(self, call: Call, obstacle: str) -> None:
        """Nothing is known of what this call does to channels: those around it stay whole."""
        self._new(call.output, _width(call))
        for tensor in (*call.inputs, call.output):
            self._refuse(tensor, f"{call.name} ({call.kind}) {obstacle}")

    def _new(self, tensor: FlatTensor, width: int) -> None:
        self._tensors[tensor] = self._ids.new(width)

    def _follow(self, call: Call, source: FlatTensor, offset: str | None = None) -> None:
        """`offset`: why the output of `call` is not zero where its input is."""
        self._tensors[call.output] = self._tensors[source]
        if source in self._not_zero:
            self._not_zero[call.output] = self._not_zero[source]
        elif offset:
            self._not_zero[call.output] = f"{call.name} ({call.kind}) {offset}"

    def _refuse(self, tensor: FlatTensor, reason: str) -> None:
        self._reasons.append((tensor, reason))

    def _rank(self, tensor: FlatTensor) -> int:
        producer = self._graph.producer(tensor)
        return len(producer.shape) if producer else len(self._graph.shape) + 1


def _verb(call: Call) -> str:
    return "adds" if call.kind == "Add" else "joins"


def _width(call: Call) -> int:
    return call.shape[-1] or 1 if call.shape else 1
