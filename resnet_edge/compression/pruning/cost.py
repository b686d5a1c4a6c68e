"""Runs in a worker. What a network costs with any number of channels, without building it.

Every weight of a sliceable layer is a term: its size is a constant times the channels that the
layer reads times those that it gives. The sums equal what `models/_macs.py` and Keras'
`count_params` find on the built network.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.pruning import Cost, GroupSummary, PruningSummary, Selection, axes
from resnet_edge.compression.pruning.groups import ChannelMap, ChannelPlace, Group
from resnet_edge.models import _macs
from resnet_edge.models.functional.flat import Call


@dataclass(frozen=True)
class Term:
    """`macs` and `parameters` for each pair of a channel of `reads` and one of `gives` (names of
    groups; None: the axis is not there or cannot change)."""

    macs: int
    parameters: int
    reads: str | None = None
    gives: str | None = None

    def times(self, counts: Mapping[str, int]) -> int:
        """How many such pairs there are with `counts` channels by group."""
        return (counts[self.reads] if self.reads else 1) * (counts[self.gives] if self.gives else 1)


def cost(channels: ChannelMap, selection: Selection | None = None) -> Cost:
    """The cost of the network with the channels of `selection`; None: as it is."""
    return total(terms(channels), counts(channels, selection))


def summary(
    channels: ChannelMap,
    selection: Selection,
    blocks: tuple[str, ...] = (),
    whole: ChannelMap | None = None,
) -> PruningSummary:
    """What `selection` does, for the report. Where blocks went before, `channels` are those of what
    is left and `whole` those of the network with them: a group that went with a block has 0."""
    whole = whole or channels
    left = {call.name: channels.stay(channels.gives(call), selection) for call in channels.graph.calls}
    groups = tuple(
        GroupSummary(
            name=group.name,
            layers=group.producers,
            before=group.channels,
            after=max(
                _of(group, left.get(name), at) for name, at in group.sources
            ),  # a stream outlives its blocks
            reason=group.reason,
        )
        for group in whole.groups
    )
    return PruningSummary(groups, cost(whole), cost(channels, selection), blocks)


def counts(channels: ChannelMap, selection: Selection | None = None) -> dict[str, int]:
    """The channels of every group that layers make, by name."""
    kept = selection.kept if selection else {}
    return {g.name: len(kept.get(g.name, range(g.channels))) for g in channels.groups}


def total(parts: Iterable[Term], by_group: Mapping[str, int]) -> Cost:
    """The sum of terms."""
    macs = parameters = 0
    for term in parts:
        times = term.times(by_group)
        macs += times * term.macs
        parameters += times * term.parameters
    return Cost(macs, parameters)


def terms(channels: ChannelMap) -> tuple[Term, ...]:
    """The terms of the network. The weights of a shared layer count once, its multiply-accumulates
    at every call."""
    seen: set[int] = set()
    parts: list[Term] = []
    for call in channels.graph.calls:
        first = id(call.operation) not in seen
        seen.add(id(call.operation))
        parts += _sliceable(channels, call, first) if axes.kind_of(call) else [_fixed(channels, call, first)]
    return tuple(term for term in parts if term.macs or term.parameters)


def uncounted(channels: ChannelMap) -> tuple[str, ...]:
    """The layers that multiply in a way that is not counted, as `MacCounter` does not either."""
    return tuple(
        call.name
        for call in channels.graph.calls
        if axes.kind_of(call) is None
        and not isinstance(call.operation, _macs._COUNTED)
        and any(len(weight.shape) > 1 for weight in getattr(call.operation, "weights", ()))
    )


def _sliceable(channels: ChannelMap, call: Call, first: bool) -> list[Term]:
    kind, positions = axes.kind_of(call), math.prod(size or 1 for size in call.shape[1:-1])
    assert kind is not None
    parts: list[Term] = []
    for weight in call.operation.weights:
        sides = kind.weights[weight.name]
        reads = _along(channels, channels.reads(call) if sides.reads is not None else None)
        gives = _along(channels, channels.gives(call) if sides.gives is not None else None)
        # Behind a Flatten a channel stands for many entries: the constant holds them.
        each = math.prod(map(int, weight.shape)) // (_entries(channels, reads) * _entries(channels, gives))
        macs = each * positions if weight.name.endswith("kernel") else 0
        parts += [
            Term(macs * times * often, each * times * often if first else 0, one, other)
            for one, times in reads.items()
            for other, often in gives.items()
        ]
    return parts


def _along(channels: ChannelMap, place: ChannelPlace | None) -> dict[str | None, int]:
    """How often each group is on an axis; None: the entries of no group, of which there are so many."""
    if place is None:
        return {None: 1}
    of_layers = {group.name for group in channels.groups}
    often: Counter[str | None] = Counter()
    for name in place.groups:
        often[name if name in of_layers else None] += 1 if name in of_layers else channels.widths[name]
    return dict(often)


def _entries(channels: ChannelMap, often: Mapping[str | None, int]) -> int:
    return sum(times * (channels.widths[name] if name else 1) for name, times in often.items())


def _of(group: Group, stay: NDArray[np.int64] | None, at: int) -> int:
    """How many of the channels of `group` are in what is left of a layer; `at`: where they begin there."""
    return 0 if stay is None else int(np.sum((at <= stay) & (stay < at + group.channels)))


def _fixed(channels: ChannelMap, call: Call, first: bool) -> Term:
    """A layer that is never sliced: constants."""
    weights = getattr(call.operation, "weights", ())
    parameters = sum(math.prod(map(int, weight.shape)) for weight in weights) if first else 0
    if not isinstance(call.operation, _macs._COUNTED):
        return Term(0, parameters)
    source = channels.graph.producer(call.inputs[0])
    shapes = (source.shape if source else (None, *channels.graph.shape)), call.shape
    reads, gives = (tuple(size or 1 for size in shape) for shape in shapes)  # of one image
    return Term(_macs._macs(call.operation, reads, gives), parameters)
