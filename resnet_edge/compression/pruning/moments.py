"""Runs in a worker. The mean and the variance of every channel, as the weights alone foretell them.

Behind a batch normalization a channel has the mean beta and the variance gamma squared over
the training images: no image is needed. From there the two are carried through the graph as
if channels were independent and normally distributed; where there is no batch normalization,
from an image with the second moment 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from resnet_edge.compression.pruning import axes, passing
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.models.functional.flat import Call, FlatTensor

Vector = NDArray[np.float64]

_TINY = 1e-12


@dataclass(frozen=True)
class ChannelMoments:
    """`mean` and `variance`, float64, for each entry of the last axis of a tensor."""

    mean: Vector
    variance: Vector

    @property
    def energy(self) -> Vector:
        """The second moment, E[x^2]."""
        return self.mean**2 + self.variance


def moments(channels: ChannelMap) -> dict[FlatTensor, ChannelMoments]:
    """Those of every tensor of the graph; for what is not understood, mean 0 and variance 1."""
    by_tensor = {channels.graph.input: _unknown(channels.graph.shape[-1])}
    for call in channels.graph.calls:
        by_tensor[call.output] = _behind(call, [by_tensor[tensor] for tensor in call.inputs])
    return by_tensor


def along(values: Vector, axis: int) -> Vector:
    """The sum over all axes but `axis`."""
    others = tuple(number for number in range(values.ndim) if number != axis % values.ndim)
    summed: Vector = values.sum(axis=others)
    return summed


def _behind(call: Call, sources: list[ChannelMoments]) -> ChannelMoments:
    width = (call.shape[-1] or 1) if call.shape else 1
    if axes.kind_of(call) is not None:
        return _activated(call.operation, _layer(call.operation, sources[0]))
    if passing.is_addition(call) and len({len(source.mean) for source in sources}) == 1:
        means, variances = ([s.mean for s in sources], [s.variance for s in sources])
        return ChannelMoments(np.sum(means, axis=0), np.sum(variances, axis=0))
    if passing.is_product(call) and {len(source.mean) for source in sources} <= {1, width}:
        return _product(sources, width)
    if passing.is_concatenation(call) and sum(len(source.mean) for source in sources) == width:
        means, variances = ([s.mean for s in sources], [s.variance for s in sources])
        return ChannelMoments(np.concatenate(means), np.concatenate(variances))
    if len(sources) == 1 and width % len(sources[0].mean) == 0:  # more often: behind a Flatten
        tiled = (np.tile(v, width // len(v)) for v in (sources[0].mean, sources[0].variance))
        return _activated(call.operation, ChannelMoments(*tiled))
    return _unknown(width)


def _product(sources: list[ChannelMoments], width: int) -> ChannelMoments:
    """Of independent factors."""
    mean = np.prod([np.broadcast_to(s.mean, width) for s in sources], axis=0)
    energy = np.prod([np.broadcast_to(s.energy, width) for s in sources], axis=0)
    return ChannelMoments(mean, np.maximum(energy - mean**2, _TINY))


def _layer(layer: Any, source: ChannelMoments) -> ChannelMoments:
    if isinstance(layer, layers.BatchNormalization):
        ones = np.ones(len(source.mean))
        beta = axes.array(layer.beta) if layer.center else 0 * ones
        gamma = axes.array(layer.gamma) if layer.scale else ones
        return ChannelMoments(beta, gamma**2 + _TINY)
    if isinstance(layer, layers.PReLU):
        return source
    bias = axes.array(layer.bias) if layer.use_bias else 0.0
    variance = _response(layer, source)
    return ChannelMoments(bias + np.zeros(len(variance)), variance + _TINY)


def _response(layer: Any, source: ChannelMoments) -> Vector:
    """The second moment of sums of independent inputs without a common sign."""
    energy = source.energy
    for kernel, sides in axes.kernels(layer):
        squares = axes.array(kernel) ** 2
        if sides.reads is None or sides.gives is None:  # depthwise: each channel by itself
            axis = sides.reads if sides.gives is None else sides.gives
            assert axis is not None
            energy = energy * along(squares, axis)
        else:
            energy = energy @ squares.reshape(-1, *squares.shape[-2:]).sum(axis=0)
    return energy


def _activated(operation: Any, source: ChannelMoments) -> ChannelMoments:
    """Behind a ReLU, exact for a normal distribution, and behind a sigmoid, whose mean is that of MacKay,
    "The Evidence Framework Applied to Classification Networks" (1992); others are taken for linear."""
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", "") if activation is not None else type(operation).__name__
    mean, deviation = source.mean, np.sqrt(source.variance)
    if name.lower() == "sigmoid":
        slowed = mean / np.sqrt(1 + math.pi / 8 * source.variance)
        return ChannelMoments(1 / (1 + np.exp(-slowed)), np.full_like(mean, _TINY))
    if name.lower() not in ("relu", "relu6"):
        return source
    ratio = mean / deviation
    density = np.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    positive = np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in ratio])
    first = mean * positive + deviation * density
    second = source.energy * positive + mean * deviation * density
    return ChannelMoments(first, np.maximum(second - first**2, _TINY))


def _unknown(width: int) -> ChannelMoments:
    return ChannelMoments(np.zeros(width), np.ones(width))
