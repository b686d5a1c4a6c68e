"""Runs in a worker. Statistics of batch normalization that are those of the network when it is trained."""

from __future__ import annotations

from typing import Any

LEFT = 1e-3
"""The share of what moving means and variances were before that may be left at the end of a training."""


def forget_in_time(model: Any, steps: int) -> None:
    """Let the moving statistics of `model` (keras or tf_keras), in place, forget in `steps` what they began
    with.

    Keras remembers 99 % in each step. After 11 steps, as a few hundred photos make in an epoch, 90 % of a
    moving mean is still that of the start; after 270, 7 %: the network that was trained answers right, and
    the one that is saved, which normalizes by those, does not (right on 0.70 of the images in training and on
    0.32 of those held out: a ResNet-18 on photos of solar cells). A longer run keeps the layer's momentum.
    """
    most = LEFT ** (1 / max(1, steps))
    for layer in model.layers:
        if hasattr(layer, "moving_mean") and hasattr(layer, "momentum"):
            layer.momentum = min(layer.momentum, most)
