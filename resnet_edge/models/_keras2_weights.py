"""Runs in a worker. The arrays of a Keras 2 `.h5`, put into a rebuilt model by name.

By name and not by order: the order in the file depends on which layers were frozen when it
was saved, and a wrong order with fitting shapes would load without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        for name, key in _keys(_names(stored), layer, weights).items():
            weight = weights.get(key)
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


Key = tuple[str, str]


def _keys(names: list[str], layer: keras.layers.Layer, weights: Mapping[Key, Any]) -> dict[str, Key]:
    """The weight that each name means. Some do not name their layer: "mean:0" of a Normalization that was
    adapted before it was called, "time_distributed/kernel:0" of what is wrapped. They mean the one weight
    of that name that no other name means."""
    keys = {name: _key(name, layer, weights) for name in names}
    for name, key in keys.items():
        if key not in weights:
            left = [each for each in weights if each[1] == key[1] and each not in keys.values()]
            keys[name] = left[0] if len(left) == 1 else key
    return keys


def _key(name: str, layer: keras.layers.Layer, weights: Mapping[Key, Any]) -> Key:
    """(layer, weight): "conv1/kernel:0" belongs to conv1, however deeply that is nested, and to a layer that
    is called "conv1/bn" in the way of DenseNet if there is one."""
    *path, weight = name.removesuffix(":0").split("/")
    if not (isinstance(layer, keras.Model) and path):
        return layer.name, weight
    owners = ["/".join(path[start:]) for start in range(len(path))]
    return next((owner for owner in owners if (owner, weight) in weights), path[-1]), weight


def _weights(layer: keras.layers.Layer) -> dict[Key, Any]:
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
