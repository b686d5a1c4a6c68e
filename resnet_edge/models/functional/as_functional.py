"""Runs in a worker. Any model as a functional one of Keras' own layers, channels last, with its weights.

What prunes, trains, saves and converts a network then has one kind of it. That it is the same network is
checked on noise by `_opened`, and on images of the user's by `witness`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from resnet_edge.core.errors import ModelError
from resnet_edge.models._graph import is_functional
from resnet_edge.models._macs import sublayers
from resnet_edge.models.functional.channels_last import (
    has_channels_first,
    is_first,
    takes_channels_first,
    with_channels_last,
)
from resnet_edge.models.functional.flat import copied, copy_weights, flat_graph, rebuild, traced_graph
from resnet_edge.models.functional.symbolic import NoGraph
from resnet_edge.models.witness import FLOAT32, UNIT


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """`model` is to be used. `original` is the one that it was made of, where it is another; `unit` half a
    unit in the last place of the shortest type that the code of its class computes in; `notes` say how."""

    model: keras.Model
    original: keras.Model | None = None
    unit: float = FLOAT32
    notes: tuple[str, ...] = ()


def as_functional(
    model: keras.Model,
    shape: tuple[int, int, int],
    source: str,
    chosen: Callable[[Any], Any] | None = None,
) -> Rebuilt:
    """`model`, built, whose images are `shape` (H, W, C), as a functional model whose channels come last.
    `chosen` picks the output of what the call of a user's class gives; without it there must be one.

    It stays as it is where it is one, and where its graph depends on more than the shape of its image: to be
    converted it needs none. Raises ModelError where its class makes weights anew in each call, and where
    channels come first in a graph that is not known.
    """
    first = next(filter(is_first, sublayers(model)), None)
    if is_functional(model):
        if first is None:
            return Rebuilt(model=model)
        graph = flat_graph(model, own_shape(model, shape))
        return Rebuilt(model=with_channels_last(graph), original=model, notes=(_CHANNELS_LAST,))
    try:
        traced = traced_graph(model, own_shape(model, shape), chosen)
    except NoGraph as reason:
        if first is not None:
            raise ModelError(_NOT_TURNED.format(source=source, layer=first.name, reason=reason)) from reason
        return Rebuilt(model=model)
    halves = tuple(_HALVES.format(kind) for kind in sorted(traced.halves))
    unit = max((UNIT[kind] for kind in traced.halves), default=FLOAT32)
    notes = (_TRACED.format(type(model).__name__), *halves)
    if has_channels_first(traced.graph):
        flat, notes = with_channels_last(traced.graph), (*notes, _CHANNELS_LAST)
    else:
        flat = rebuild(traced.graph, lambda call: copied(call, dtype="float32"))
        copy_weights(traced.graph, flat)
    return Rebuilt(model=flat, original=model, unit=unit, notes=notes)


def own_shape(model: keras.Model, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Of images of `shape` (H, W, C), as `model` takes them."""
    return (shape[2], shape[0], shape[1]) if takes_channels_first(model) else shape


_TRACED = "the graph of the class {} was taken from one call of it in inference mode, with the same weights"
_HALVES = "its code casts tensors to {}: they stay float32"
_CHANNELS_LAST = (
    "its channels come first (N, C, H, W): it was rebuilt with channels last and the same weights, and takes "
    "images as (N, H, W, C); `convert --nchw` writes ONNX files that take (N, C, H, W)"
)
_NOT_TURNED = (
    "{source}: layer {layer} has channels first (NCHW), which mobile runtimes do not take, and the order "
    "cannot be changed, for its graph is not known ({reason}): write that line with layers of Keras, or "
    "build the model with data_format='channels_last' and copy the weights"
)
