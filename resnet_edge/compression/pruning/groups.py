"""Runs in a worker. The channel sets of a network: what has to stay or go together.

Tensors that an Add joins share one set of channels, through every layer that hands each
channel on by itself; so does a tensor with what gates it (squeeze and excitation). A
concatenation puts sets one after the other. A convolution or a dense layer reads sets and
makes another, or several where what it is added to is a concatenation. The same grouping in
words: Fang et al., "DepGraph: Towards Any Structural Pruning", arXiv:2301.12900. A set that
meets an operation which is not understood stays whole, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.pruning import Selection, axes, passing
from resnet_edge.compression.pruning.channel_ids import ChannelIds, runs
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor


@dataclass(frozen=True)
class ChannelPlace:
    """Whose channels the last axis of a tensor holds, one group after the other; behind a Flatten
    they come again for each place of the picture."""

    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """One channel set, named after the first layer that makes it, with the channels of the layer
    where they are not all of those that it makes.

    `producers` have the channels as filters or units, `carriers` hold weights for each of them
    (batch normalization, depthwise convolution), `consumers` read them; all are names of
    calls. `starts`: where the channels begin among those of each producer. `joined`: an Add joins
    several tensors of it. `reason`: why it stays whole (None: it can be pruned).
    """

    name: str
    channels: int
    producers: tuple[str, ...]
    starts: tuple[int, ...]
    carriers: tuple[str, ...]
    consumers: tuple[str, ...]
    joined: bool
    reason: str | None

    @property
    def sources(self) -> Iterator[tuple[str, int]]:
        """Each producer, and where the channels begin among its own."""
        return zip(self.producers, self.starts, strict=True)


@dataclass(frozen=True)
class ChannelMap:
    """The channel sets of `graph` that layers make, the place of every tensor, and how many channels
    each set has, those that no layer makes as well."""

    graph: FlatGraph
    groups: tuple[Group, ...]
    places: dict[FlatTensor, ChannelPlace]
    widths: dict[str, int]

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

    def spans(self, place: ChannelPlace) -> Iterator[tuple[str, slice]]:
        """The groups of `place` in order, each with its entries of the axis."""
        start = 0
        for name in place.groups:
            yield name, slice(start, start + self.widths[name])
            start += self.widths[name]

    def stay(self, place: ChannelPlace, selection: Selection) -> NDArray[np.int64]:
        """The entries that stay on the last axis of a tensor at `place`."""
        parts = [
            span.start + np.asarray(selection.kept.get(name, range(self.widths[name])), np.int64)
            for name, span in self.spans(place)
        ]
        return np.concatenate(parts)

    def entries(self, place: ChannelPlace, selection: Selection) -> NDArray[np.int64] | None:
        """The same; None: all."""
        return self.stay(place, selection) if selection.kept.keys() & {*place.groups} else None


def channel_map(graph: FlatGraph) -> ChannelMap:
    """The channel sets of `graph`.

    Raises ModelError with the reasons where none can be pruned.
    """
    channels = _Finder(graph).map()
    if not channels.prunable:
        reasons = dict.fromkeys(f"{group.name}: {group.reason}" for group in channels.groups)
        why = "; ".join(list(reasons)[:3]) or "it has no Conv2D and no Dense layer that is known"
        raise ModelError(
            f"{graph.name} has no channel that can be removed ({why}): take --method magnitude, or convert "
            "it as it is"
        )
    return channels


class _Finder:
    """Follows every channel through the graph."""

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._ids = ChannelIds()
        self._tensors: dict[FlatTensor, NDArray[np.int64]] = {}
        self._reasons: list[tuple[FlatTensor, str]] = []
        self._not_zero: dict[FlatTensor, str] = {}
        self._joined: set[FlatTensor] = set()
        calls = Counter(id(call.operation) for call in graph.calls)
        self._shared = {number for number, count in calls.items() if count > 1}

    def map(self) -> ChannelMap:
        graph = self._graph
        self._new(graph.input, graph.shape[-1])
        self._refuse(graph.input, "its channels are those of the image")
        for call in graph.calls:
            self._visit(call)
        self._reasons.insert(0, (graph.output, "its channels are the network's output"))
        return _Grouping(graph, self._ids.roots(self._tensors), self._reasons, self._joined).map()

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


class _Grouping:
    """Groups of what was followed: channels that are side by side in every tensor go by one name."""

    def __init__(
        self,
        graph: FlatGraph,
        tensors: dict[FlatTensor, NDArray[np.int64]],
        reasons: Iterable[tuple[FlatTensor, str]],
        joined: Iterable[FlatTensor],
    ) -> None:
        self._graph, self._tensors = graph, tensors
        self._runs = runs(tensors.values())
        self._first = {int(run[0]): number for number, run in enumerate(self._runs)}
        self._parts = {tensor: self._split(ids) for tensor, ids in tensors.items()}
        self._reasons: dict[int, str] = {}
        for tensor, reason in reasons:
            for part, _ in self._parts[tensor]:
                self._reasons.setdefault(part, reason)
        self._joined = {part for tensor in joined for part, _ in self._parts[tensor]}

    def map(self) -> ChannelMap:
        names = self._names()
        places = {
            tensor: ChannelPlace(tuple(names[part] for part, _ in parts))
            for tensor, parts in self._parts.items()
        }
        widths = {names[number]: len(run) for number, run in enumerate(self._runs)}
        return ChannelMap(self._graph, self._groups(names), places, widths)

    def _split(self, ids: NDArray[np.int64]) -> list[tuple[int, int]]:
        """The runs that `ids` consists of, in order, and where each begins."""
        parts, start = [], 0
        while start < len(ids):
            number = self._first[int(ids[start])]
            parts.append((number, start))
            start += len(self._runs[number])
        return parts

    def _names(self) -> list[str]:
        """A name for each run: its first producer, else the first call that gives it, else the image."""
        calls = self._graph.calls
        makers = [call for call in calls if (kind := axes.kind_of(call)) and kind.makes]
        tensors = [(call.name, call.output) for call in (*makers, *calls)]
        names: dict[int, str] = {}
        for name, tensor in (*tensors, ("(image)", self._graph.input)):
            for part, start in self._parts[tensor]:
                end = start + len(self._runs[part])
                whole = (start, end) == (0, len(self._tensors[tensor]))
                names.setdefault(part, name if whole else f"{name}[{start}:{end}]")
        return [names[number] for number in range(len(self._runs))]

    def _groups(self, names: list[str]) -> tuple[Group, ...]:
        producers: dict[int, dict[str, int]] = {}
        carriers: dict[int, list[str]] = {}
        consumers: dict[int, list[str]] = {}
        for call in self._graph.calls:
            kind = axes.kind_of(call)
            if kind is None:
                continue
            for part, start in self._parts[call.output]:
                if kind.makes:
                    producers.setdefault(part, {}).setdefault(call.name, start)
                else:
                    carriers.setdefault(part, []).append(call.name)
            for part, _ in self._parts[call.inputs[0]] if kind.makes else ():
                consumers.setdefault(part, []).append(call.name)
        return tuple(
            Group(
                name=names[part],
                channels=len(self._runs[part]),
                producers=tuple(starts),
                starts=tuple(starts.values()),
                carriers=tuple(dict.fromkeys(carriers.get(part, ()))),
                consumers=tuple(dict.fromkeys(consumers.get(part, ()))),
                joined=part in self._joined,
                reason=self._reasons.get(part),
            )
            for part, starts in producers.items()
        )


def _verb(call: Call) -> str:
    return "adds" if call.kind == "Add" else "joins"


def _width(call: Call) -> int:
    return call.shape[-1] or 1 if call.shape else 1
