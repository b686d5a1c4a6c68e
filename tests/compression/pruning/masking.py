"""The full-size twin of a pruned network, which `slicing` is held against: removed channels are zero in it.

It computes what `slicing.sliced` computes. Behind a batch normalization a channel of zeros
would be beta: there gamma, beta and the moving mean are zero as well.
"""

from __future__ import annotations

import keras
import numpy as np

from resnet_edge.compression.pruning import Selection, axes
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.models.functional.flat import copied, copy_weights, rebuild

_UNTOUCHED = {"moving_variance"}  # a divisor; what it divides is zero


def masked(channels: ChannelMap, selection: Selection, name: str | None = None) -> keras.Model:
    """A new model like that of the graph, with the channels that are not selected at zero."""
    model = rebuild(channels.graph, copied, name=name)
    copy_weights(channels.graph, model)
    for call in channels.graph.calls:
        kind = axes.kind_of(call)
        stay = channels.entries(channels.gives(call), selection)
        if kind is None or stay is None:
            continue
        layer = model.get_layer(call.name)
        values = [np.array(value) for value in layer.get_weights()]  # JAX gives views that cannot be written
        for number, weight in enumerate(layer.weights):
            axis = kind.weights[weight.name].gives
            if axis is not None and weight.name not in _UNTOUCHED:
                gone = np.setdiff1d(np.arange(values[number].shape[axis]), stay)
                np.moveaxis(values[number], axis, 0)[gone] = 0
        layer.set_weights(values)
    return model
