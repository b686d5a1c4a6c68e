"""Runs in a worker. The arrays of a Keras 2 `.h5`, put into a rebuilt model by name.

By name and not by order: the order in the file depends on which layers were frozen when it
was saved, and a wrong order with fitting shapes would load without a word.
"""

from __future__ import annotations

from typing import Any

import h5py
import keras
import numpy as np

from resnet_edge.core.errors import ModelError
from resnet_edge.models._state import finalize_state


def load_weights(model: keras.Model, group: h5py.Group, file: str) -> None:
    """Set every weight of `model` from the `model_weights` group. Raises ModelError."""
    missing = {id(weight) for layer in model.layers for weight in _weights(layer).values()}
    for layer in model.layers:
        weights = _weights(layer)
        if layer.name not in group:
            continue
        stored = group[layer.name]
        for name in _names(stored):
            weight = weights.get(_key(name, layer))
            values = np.asarray(stored[name])
            if weight is None or tuple(weight.shape) != values.shape:
                expected = "no such weight" if weight is None else f"shape {tuple(weight.shape)}"
                raise ModelError(
                    f"{file}: {layer.name}/{name} has shape {values.shape}, and the layer has {expected}: "
                    "save the model as a SavedModel and pass --trust"
                )
            weight.assign(values)
            missing.discard(id(weight))
    if missing:
        raise ModelError(f"{file} lacks {len(missing)} of the weights of its model: copy or save it again")
    finalize_state(model)


def _names(stored: Any) -> list[str]:
    names = stored.attrs.get("weight_names", [])
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _key(name: str, layer: keras.layers.Layer) -> tuple[str, str]:
    """(layer, weight): "conv1/kernel:0" belongs to conv1, however deeply that is nested."""
    *path, weight = name.removesuffix(":0").split("/")
    owner = path[-1] if isinstance(layer, keras.Model) and path else layer.name
    return owner, weight


def _weights(layer: keras.layers.Layer) -> dict[tuple[str, str], Any]:
    """All weights at or below `layer`. The states of random generators are not saved."""
    owners = layer._flatten_layers()
    return {
        (owner.name, _keras2_name(owner, weight.name)): weight
        for owner in owners
        for weight in owner.weights
        if len(owner._layers) == 0 and "seed_generator" not in weight.path
    }


def _keras2_name(owner: keras.layers.Layer, name: str) -> str:
    """What Keras 2 calls the weight `name` of Keras 3."""
    depthwise = isinstance(owner, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D)
    return "depthwise_kernel" if depthwise and name == "kernel" else name
