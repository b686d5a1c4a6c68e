"""Runs in a worker. Mixed precision is a way to train: its variables are float32, and so is the reference."""

from __future__ import annotations

from typing import Any

import keras

from resnet_edge.models._state import finalize_state

_MIXED = ("mixed_float16", "mixed_bfloat16")


def as_float32(model: keras.Model) -> tuple[str, ...]:
    """Make every layer at or below `model` compute in float32; gives the names of the policies that went.

    TensorFlow's converter refuses half floats ("Could not translate MLIR to FlatBuffer"), and no file that
    is proved against the model rounds as they do. The variables stay as they are. Does nothing to layers
    whose policy is not mixed.
    """
    names = set()
    for layer in model._flatten_layers():
        policy: Any = getattr(layer, "dtype_policy", None)
        if getattr(policy, "name", None) in _MIXED:
            names.add(policy.name)
            layer.dtype_policy = "float32"
            if isinstance(layer, keras.layers.Normalization) and layer.input_mean is not None and layer.built:
                layer.build_from_config(layer.get_build_config())  # keeps its constants as it computes
    if names:
        finalize_state(model)
    return tuple(sorted(names))
