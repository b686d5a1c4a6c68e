"""Runs in a worker. The channel sets of a network: what has to stay or go together.

Tensors that an Add joins share one set of channels, through every layer that hands each
channel on by itself; so does a tensor with what gates it (squeeze and excitation). A
concatenation puts sets one after the other. A convolution or a dense layer reads sets and
makes another, or several where what it is added to is a concatenation. The same grouping in
words: Fang et al., "DepGraph: Towards Any Structural Pruning", arXiv:2301.12900. A set that
meets an operation which is not understood stays whole, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.pruning import Selection, axes
from resnet_edge.compression.pruning.channel_ids import runs
from resnet_edge.compression.pruning.following import Followed, followed
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
    channels = _Grouping(graph, followed(graph)).map()
    if not channels.prunable:
        reasons = dict.fromkeys(f"{group.name}: {group.reason}" for group in channels.groups)
        why = "; ".join(list(reasons)[:3]) or "it has no Conv2D and no Dense layer that is known"
        raise ModelError(
            f"{graph.name} has no channel that can be removed ({why}): take --method magnitude, or convert "
            "it as it is"
        )
    return channels


class _Grouping:
    """Groups of what was followed: channels that are side by side in every tensor go by one name."""

    def __init__(self, graph: FlatGraph, followed: Followed) -> None:
        self._graph, self._tensors = graph, followed.tensors
        self._runs = runs(followed.tensors.values())
        self._first = {int(run[0]): number for number, run in enumerate(self._runs)}
        self._parts = {tensor: self._split(ids) for tensor, ids in followed.tensors.items()}
        self._reasons: dict[int, str] = {}
        for tensor, reason in followed.reasons:
            for part, _ in self._parts[tensor]:
                self._reasons.setdefault(part, reason)
        self._joined = {part for tensor in followed.joined for part, _ in self._parts[tensor]}

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
