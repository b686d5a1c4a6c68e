"""Runs in a worker. A term of the loss that drives whole channels towards zero while a network trains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from resnet_edge.compression.pruning import axes
from resnet_edge.compression.pruning.groups import Group
from resnet_edge.core.errors import ModelError

_TINY = 1e-12
"""Below the square root: its slope at 0 is infinite."""


def penalty(model: keras.Model, groups: Iterable[Group], strength: Any) -> Any:
    """A float32 scalar: `strength` times the sum over all channels of their group lasso.

    That of a channel is the L2 norm of its batch normalization scales in all layers of its
    group, so that a channel of a residual stream goes in all of its layers or in none (group
    lasso, Wen et al., arXiv:1608.03665, on the scales of network slimming, Liu et al.,
    arXiv:1708.06519). A group without scales has the filters of its producers instead. Each
    norm is divided by the root of the number of weights in it, so that one strength fits all.

    `model` has the layers of the graph that `groups` came from, under the same names. A
    `strength` that grows over the training (a variable or a tensor) removes little at first.
    Raises ModelError where a layer is not there.
    """
    terms = [_lasso(model, group) for group in groups]
    return ops.cast(strength, "float32") * sum(terms, ops.zeros(()))


def _lasso(model: keras.Model, group: Group) -> Any:
    squares = _scales(model, group) or [_filters(_layer(model, name)) for name in group.producers]
    return ops.sum(ops.sqrt(sum(squares[1:], squares[0]) / len(squares) + _TINY))


def _scales(model: keras.Model, group: Group) -> list[Any]:
    layers = [_layer(model, name) for name in group.carriers]
    gammas = [layer.gamma for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    # behind a Flatten a scale stands for one place of the picture, not for a channel
    return [ops.square(_float32(g)) for g in gammas if g is not None and g.shape == (group.channels,)]


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
