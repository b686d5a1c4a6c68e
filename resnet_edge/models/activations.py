"""Runs in a worker. What the layers of a Keras model give on images, by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import Call, FlatGraph, copied, filled
from resnet_edge.models.learned_ranges import INPUT, PRODUCT

Arrays = dict[str, NDArray[np.float32]]


def activations(graph: FlatGraph, names: Collection[str], images: NDArray[np.float32]) -> Arrays:
    """The outputs of some layers in inference mode, by the names of `learned_ranges`.

    `images` (B, H, W, C) are what the model takes. Memory: all layers' outputs at once. Raises
    ModelError where the model has no layer of one of these names.
    """
    values: dict[Any, Any] = {graph.input: ops.convert_to_tensor(images)}
    outputs: Arrays = {INPUT: images} if INPUT in names else {}
    for call in graph.calls:
        args, kwargs = filled(call, values)
        values[call.output] = call.operation(*args, **kwargs)
        if call.name in names:
            outputs[call.name] = _array(_before_squashing(call, args, kwargs, values[call.output]))
        if call.name + INPUT in names:
            outputs[call.name + INPUT] = _array(values[call.output])
        if call.name + PRODUCT in names:
            outputs[call.name + PRODUCT] = _array(args[0] * scale_of(call.operation))
    unknown = sorted(set(names) - outputs.keys())
    if unknown:
        raise ModelError(
            f"the file has the activation range of {unknown[0]}, and the model no such layer: run qat again"
        )
    return outputs


def scale_of(layer: Any) -> Any:
    """What a BatchNormalization in inference multiplies its input by, (channels,)."""
    scale = ops.rsqrt(layer.moving_variance + layer.epsilon)
    return scale * layer.gamma if layer.scale else scale


def ends_in_squashing(operation: Any) -> bool:
    """Whether a layer with weights applies a softmax or sigmoid to what it computes."""
    return bool(getattr(operation, "weights", ())) and (
        getattr(operation, "activation", None) in (keras.activations.softmax, keras.activations.sigmoid)
    )


def _before_squashing(call: Call, args: Any, kwargs: Any, output: Any) -> Any:
    if not ends_in_squashing(call.operation):
        return output
    layer = copied(call, activation="linear")
    layer(*args, **kwargs)  # makes its weights
    layer.set_weights(call.operation.get_weights())
    return layer(*args, **kwargs)


def _array(value: Any) -> NDArray[np.float32]:
    return np.asarray(ops.convert_to_numpy(value), np.float32)
