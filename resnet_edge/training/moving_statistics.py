"""Runs in a worker. Statistics of batch normalization that are those of the network when it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

LEFT = 1e-3
"""The share of what moving means and variances began with that may be left at the end of a training."""


def forget_in_time(model: Any, steps: int) -> None:
    """Let moving statistics of `model` (keras or tf_keras), in place, forget in `steps` that they began with
    zeros and ones. Statistics of a network that was trained before are worth something, and stay as they are.

    Keras remembers 99 % in each step. After 11 steps, as a few hundred photos make in an epoch, 90 % of a
    moving mean is still zero; after 270, 7 %: the network that is trained answers right, and the one that is
    saved, which normalizes by those, does not. A longer run keeps the momentum of the layer.
    """
    most = LEFT ** (1 / max(1, steps))
    for layer in model.layers:
        if hasattr(layer, "moving_mean") and hasattr(layer, "momentum") and _is_new(layer):
            layer.momentum = min(layer.momentum, most)


def _is_new(layer: Any) -> bool:
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    return bool((mean == 0).all() and (variance == 1).all())
