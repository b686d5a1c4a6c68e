"""Runs in a worker. A term of the loss that drives whole channels towards zero while a network trains."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from resnet_edge.compression.pruning import axes
from resnet_edge.compression.pruning.groups import ChannelMap, Group
from resnet_edge.core.errors import ModelError

_TINY = 1e-12
"""Below the square root: its slope at 0 is infinite."""


def penalty(model: keras.Model, channels: ChannelMap, strength: Any) -> Any:
    """A float32 scalar: `strength` times the sum over all channels that can be pruned of their group lasso.

    That of a channel is the L2 norm of its batch normalization scales in all layers of its
    group, so that a channel of a residual stream goes in all of its layers or in none (group
    lasso, Wen et al., arXiv:1608.03665, on the scales of network slimming, Liu et al.,
    arXiv:1708.06519). A group without scales has the filters of its producers instead. Each
    norm is divided by the root of the number of weights in it, so that one strength fits all.

    `model` has the layers of the graph of `channels`, under the same names. A
    `strength` that grows over the training (a variable or a tensor) removes little at first.
    Raises ModelError where a layer is not there.
    """
    terms = [_lasso(model, channels, group) for group in channels.prunable]
    return ops.cast(strength, "float32") * sum(terms, ops.zeros(()))


def _lasso(model: keras.Model, channels: ChannelMap, group: Group) -> Any:
    squares = _scales(model, channels, group) or [
        _filters(_layer(model, name))[at : at + group.channels] for name, at in group.sources
    ]
    return ops.sum(ops.sqrt(sum(squares[1:], squares[0]) / len(squares) + _TINY))


def _scales(model: keras.Model, channels: ChannelMap, group: Group) -> list[Any]:
    parts = []
    for name in group.carriers:
        spans = [s for each, s in channels.spans(channels.gives(channels.call(name))) if each == group.name]
        gamma = getattr(_layer(model, name), "gamma", None)
        # behind a Flatten a scale stands for one place of the picture, not for a channel
        if gamma is not None and len(spans) == 1:
            parts.append(ops.square(_float32(gamma)[spans[0]]))
    return parts


def _layer(model: keras.Model, name: str) -> Any:
    try:
        return model.get_layer(name)
    except ValueError:
        raise ModelError(
            f"{model.name} has no layer {name}: rebuild it from the graph that was read"
        ) from None


def _filters(layer: Any) -> Any:
    """The mean square of every filter's weights."""
    kernel, axis = axes.making_kernel(layer)
    others = [number for number in range(len(kernel.shape)) if number != axis]
    return ops.mean(ops.square(_float32(kernel)), axis=others)


def _float32(variable: Any) -> Any:
    return ops.cast(variable, "float32")
