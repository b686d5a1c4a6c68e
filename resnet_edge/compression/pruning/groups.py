"""Runs in a worker. The channel sets of a network: what has to stay or go together.

Tensors that an Add joins share one set of channels, through every layer that hands each
channel on by itself; a convolution or a dense layer reads one set and makes another. The
same grouping in words: Fang et al., "DepGraph: Towards Any Structural Pruning",
arXiv:2301.12900. A set that meets an operation which is not understood stays whole, with
the reason.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import keras

from resnet_edge.compression.pruning import axes, passing
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor


@dataclass(frozen=True)
class ChannelPlace:
    """Where a tensor belongs: the last axis holds the `group`'s channels `repeat` times in a row
    (once, or height x width times behind a Flatten)."""

    group: str
    repeat: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """One channel set, named after the first layer that makes it.

    `producers` have the channels as filters or units, `carriers` hold weights for each of them
    (batch normalization, depthwise convolution), `consumers` read them; all are names of
    calls. `joined`: an Add joins several tensors of it. `reason`: why it stays whole (None:
    it can be pruned).
    """

    name: str
    channels: int
    producers: tuple[str, ...]
    carriers: tuple[str, ...]
    consumers: tuple[str, ...]
    joined: bool
    reason: str | None


@dataclass(frozen=True)
class ChannelMap:
    """The channel sets of `graph` that layers make, and the place of every tensor."""

    graph: FlatGraph
    groups: tuple[Group, ...]
    places: dict[FlatTensor, ChannelPlace]

    @property
    def prunable(self) -> tuple[Group, ...]:
        """The groups that may lose channels."""
        return tuple(group for group in self.groups if group.reason is None)

    def group(self, name: str) -> Group:
        """The group called `name`. Raises KeyError."""
        return next(group for group in self.groups if group.name == name)

    def call(self, name: str) -> Call:
        """The call named `name`."""
        return next(call for call in self.graph.calls if call.name == name)

    def reads(self, call: Call) -> ChannelPlace:
        """The place of what `call` reads (its first input)."""
        return self.places[call.inputs[0]]

    def gives(self, call: Call) -> ChannelPlace:
        """The place of what `call` gives."""
        return self.places[call.output]


def channel_map(graph: FlatGraph) -> ChannelMap:
    """The channel sets of `graph`.

    Raises ModelError with the reasons where none can be pruned.
    """
    channels = _Finder(graph).map()
    if not channels.prunable:
        reasons = dict.fromkeys(f"{group.name}: {group.reason}" for group in channels.groups)
        why = "; ".join(list(reasons)[:3]) or "it has no Conv2D and no Dense layer that is known"
        raise ModelError(f"{graph.name} has no channel that can be removed ({why}): prune another model")
    return channels


class _Finder:
    """Union-find over the tensors of a graph."""

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._parent: dict[FlatTensor, FlatTensor] = {}
        self._repeat: dict[FlatTensor, int] = {}
        self._width: dict[FlatTensor, int] = {}
        self._reasons: dict[FlatTensor, str] = {}
        self._joined: set[FlatTensor] = set()
        calls = Counter(id(call.operation) for call in graph.calls)
        self._shared = {number for number, count in calls.items() if count > 1}

    def map(self) -> ChannelMap:
        graph = self._graph
        self._new(graph.input, graph.shape[-1])
        self._refuse(graph.input, "its channels are those of the image")
        for call in graph.calls:
            self._visit(call)
        self._reasons[self._root(graph.output)] = "its channels are the network's output"
        names = self._names()
        places = {
            tensor: ChannelPlace(names[self._root(tensor)], self._repeat[tensor]) for tensor in self._parent
        }
        return ChannelMap(graph, self._groups(names), places)

    def _visit(self, call: Call) -> None:
        if not call.inputs:
            self._new(call.output, _width(call))
            self._refuse(call.output, f"{call.name} makes it from nothing that depends on the image")
        elif passing.is_addition(call):
            self._join(call)
        elif isinstance(call.operation, keras.layers.Flatten):
            self._flatten(call)
        elif (kind := axes.kind_of(call)) is not None:
            self._layer(call, makes=kind.width is not None)
        elif type(call.operation) in axes.SLICEABLE:
            self._stop(call, axes.peculiarity(call) or "holds weights beside the usual ones")
        elif obstacle := passing.obstacle(call):
            self._stop(call, obstacle)
        else:
            self._follow(call, call.inputs[0])

    def _layer(self, call: Call, makes: bool) -> None:
        source = call.inputs[0]
        if makes:
            self._new(call.output, _width(call))
        else:
            self._follow(call, source)
        if id(call.operation) in self._shared:
            for tensor in (source, call.output):
                self._refuse(tensor, f"{call.name} is called more than once")
        if obstacle := passing.activation_obstacle(call.operation):
            self._refuse(call.output, f"{call.name} {obstacle}")

    def _join(self, call: Call) -> None:
        first, *others = call.inputs
        if len(call.inputs) < len(keras.tree.flatten(call.args)):
            self._stop(call, "adds a constant")
            return
        alike = {(self._width[self._root(t)], self._repeat[t], self._rank(t)) for t in call.inputs}
        if len(alike) > 1:
            self._stop(call, "adds tensors of different shapes")
            return
        self._follow(call, first)
        if len({self._root(t) for t in call.inputs}) > 1:
            self._joined.add(call.output)
        for other in others:
            self._union(first, other)

    def _flatten(self, call: Call) -> None:
        source = call.inputs[0]
        self._follow(call, source)
        own = self._width[self._root(source)] * self._repeat[source]
        size = call.shape[-1]
        if size is None or size % own or getattr(call.operation, "data_format", None) == "channels_first":
            self._refuse(source, f"{call.name} flattens it in a way that is not known")
        else:
            self._repeat[call.output] = self._repeat[source] * (size // own)

    def _stop(self, call: Call, obstacle: str) -> None:
        """Nothing is known of what this call does to channels: those around it stay whole."""
        self._new(call.output, _width(call))
        for tensor in (*call.inputs, call.output):
            self._refuse(tensor, f"{call.name} ({call.kind}) {obstacle}")

    def _new(self, tensor: FlatTensor, width: int) -> None:
        self._parent[tensor] = tensor
        self._repeat[tensor] = 1
        self._width[tensor] = width

    def _follow(self, call: Call, source: FlatTensor) -> None:
        self._parent[call.output] = self._root(source)
        self._repeat[call.output] = self._repeat[source]

    def _root(self, tensor: FlatTensor) -> FlatTensor:
        while self._parent[tensor] != tensor:
            tensor = self._parent[tensor]
        return tensor

    def _union(self, one: FlatTensor, other: FlatTensor) -> None:
        first, second = sorted((self._root(one), self._root(other)), key=lambda tensor: tensor.number)
        if first == second:
            return
        self._parent[second] = first
        if second in self._reasons:
            self._reasons.setdefault(first, self._reasons.pop(second))

    def _refuse(self, tensor: FlatTensor, reason: str) -> None:
        self._reasons.setdefault(self._root(tensor), reason)

    def _rank(self, tensor: FlatTensor) -> int:
        producer = self._graph.producer(tensor)
        return len(producer.shape) if producer else len(self._graph.shape) + 1

    def _names(self) -> dict[FlatTensor, str]:
        """A name for each set: its first producer, else the first call that gives it, else the image."""
        calls = self._graph.calls
        makers = [call for call in calls if (kind := axes.kind_of(call)) and kind.width is not None]
        names: dict[FlatTensor, str] = {}
        for call in (*makers, *calls):
            names.setdefault(self._root(call.output), call.name)
        return {self._root(self._graph.input): "(image)", **names}

    def _groups(self, names: dict[FlatTensor, str]) -> tuple[Group, ...]:
        parts: dict[FlatTensor, tuple[list[str], list[str], list[str]]] = {
            root: ([], [], []) for root in names
        }
        for call in self._graph.calls:
            kind = axes.kind_of(call)
            if kind is None:
                continue
            source, own = self._root(call.inputs[0]), self._root(call.output)
            if kind.width is None:
                parts[own][1].append(call.name)
            else:
                parts[own][0].append(call.name)
                parts[source][2].append(call.name)
        joined = {self._root(tensor) for tensor in self._joined}
        return tuple(
            Group(
                name=names[root],
                channels=self._width[root],
                producers=tuple(producers),
                carriers=tuple(carried),
                consumers=tuple(read),
                joined=root in joined,
                reason=self._reasons.get(root),
            )
            for root, (producers, carried, read) in parts.items()
            if producers
        )


def _width(call: Call) -> int:
    return call.shape[-1] or 1 if call.shape else 1
