"""Tests that a masked channel is zero wherever the network looks at it."""

from __future__ import annotations

import keras
import numpy as np

from resnet_edge.compression.pruning import Selection
from tests.compression.pruning import nets
from tests.compression.pruning.masking import masked
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS


def test_a_removed_channel_is_zero_behind_every_layer() -> None:
    channels = nets.mapped(nets.preactivated())
    kept = {"stem": (0, 3, 4), "a1": (1,)}
    model = masked(channels, Selection(kept))
    for call in channels.graph.calls:
        (group,) = channels.gives(call).groups
        if group not in kept or len(call.shape) != 4:
            continue
        values = nets.outputs(keras.Model(model.input, model.get_layer(call.name).output), nets.images())
        gone = [c for c in range(values.shape[-1]) if c not in kept[group]]
        assert not values[..., gone].any(), call.name
        assert np.abs(values[..., list(kept[group])]).max() > 0.1, call.name


def test_the_masked_model_has_the_size_of_the_original() -> None:
    model = nets.residual()
    channels = nets.mapped(model)
    full = masked(channels, nets.drawn(channels), name="twin")
    assert (full.name, full.count_params()) == ("twin", model.count_params())
