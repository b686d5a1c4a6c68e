"""Runs in a worker. The smaller network: without the channels that were not selected."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.pruning import Selection, axes
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.models._state import finalize_state
from resnet_edge.models.functional.flat import Call, copied, rebuild


def sliced(channels: ChannelMap, selection: Selection, name: str | None = None) -> keras.Model:
    """A new functional model with the names and the weights of the graph's layers, and only the
    channels of `selection`. The original is not touched."""
    for_layers = {id(call.operation): call for call in reversed(channels.graph.calls)}

    def make(call: Call) -> Any:
        stay = channels.entries(channels.gives(call), selection)
        return copied(call, **({} if stay is None else axes.resized(call, len(stay))))

    model = rebuild(channels.graph, make, name=name)
    for call in for_layers.values():
        if getattr(call.operation, "weights", ()):
            model.get_layer(call.name).set_weights(_weights(channels, selection, call))
    finalize_state(model)
    return model


def _weights(channels: ChannelMap, selection: Selection, call: Call) -> list[NDArray[Any]]:
    kind = axes.kind_of(call)
    values: list[NDArray[Any]] = call.operation.get_weights()
    if kind is None:
        return values
    reads = channels.entries(channels.reads(call), selection)
    gives = channels.entries(channels.gives(call), selection)
    for number, weight in enumerate(call.operation.weights):
        sides = kind.weights[weight.name]
        for axis, stay in ((sides.reads, reads), (sides.gives, gives)):
            if axis is not None and stay is not None:
                values[number] = np.take(values[number], stay, axis=axis)
    return values
