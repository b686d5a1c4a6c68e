"""Runs in a worker. How much each channel matters, by the weights alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.pruning import axes
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.moments import moments

Importance = dict[str, NDArray[np.float64]]
"""By the name of the group, one number for each of its channels; the larger, the longer it stays.
The numbers of different groups can be compared, and the loss of several channels is their sum."""


def group_norm(channels: ChannelMap) -> Importance:
    """The batch-normalization-aware group norm, for the groups that can be pruned.

    A layer that reads the channel c has the squared norm of its kernel there times the second
    moment of c, as the batch normalization before it foretells (`moments`; a network without
    one has the norms of the filters that made c there). Divided by the sum over all channels
    that the layer reads, output by output, it is the share of the layer's response that goes
    with c. The importance of c is the sum of the shares in all layers that read it.

    Sources: the norm over all coupled weights, Fang et al., arXiv:2301.12900; batch
    normalization scales as the size of a channel, Liu et al., arXiv:1708.06519. The shares are
    ours: with each group's norms divided by their mean instead, the channels of a residual
    stream, which many layers read and which save the most, would always go first.
    """
    norms = {group.name: np.zeros(group.channels) for group in channels.prunable}
    known = moments(channels)
    for call in channels.graph.calls:
        reading = axes.reading_kernel(call.operation) if axes.kind_of(call) else None
        if reading is None or not norms.keys() & {*channels.reads(call).groups}:
            continue
        shares = _shares(call.operation, known[call.inputs[0]].energy)
        for name, span in channels.spans(channels.reads(call)):
            if name in norms:
                norms[name] += shares[span]
    return norms


def random_importance(channels: ChannelMap, seed: int) -> Importance:
    """Seeded noise in 0..1: what any importance has to beat."""
    draw = np.random.default_rng(seed)
    return {group.name: draw.random(group.channels) for group in channels.prunable}


def _shares(layer: Any, energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(inputs,): the share of each in the response of `layer`, the mean over its outputs."""
    kernel, axis = axes.reading_kernel(layer) or (None, 0)
    squares = np.moveaxis(axes.array(kernel) ** 2, axis, -2)
    parts = squares.reshape(-1, *squares.shape[-2:]).sum(axis=0) * energy[:, None]
    whole = parts.sum(axis=0, keepdims=True)
    shares: NDArray[np.float64] = np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0).mean(
        axis=1
    )
    return shares
