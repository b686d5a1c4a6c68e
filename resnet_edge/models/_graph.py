"""Runs in a worker. What a Keras model's graph says of its first and last operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

_NO_OP_IN_INFERENCE = (
    layers.InputLayer,
    layers.Dropout,
    layers.SpatialDropout2D,
    layers.GaussianNoise,
    layers.GaussianDropout,
    layers.Identity,
)
_RESIZING = (
    layers.Resizing,
    layers.CenterCrop,
    layers.Cropping2D,
    layers.ZeroPadding2D,
    layers.Permute,
    layers.Reshape,
    layers.Concatenate,
)
"""What leaves pixels pixels: what scales them may come behind."""
_MOVING = {
    *("Cast", "SaturateCast", "ConvertToTensor", "Resize", "CropImages", "PadImages", "Pad", "GetItem"),
    *("Transpose", "Reshape", "Concatenate", "Copy"),
}
"""The same as operations of Keras."""
_SCALING = (layers.Rescaling, layers.Normalization)
_ARITHMETIC = {"TrueDivide", "Divide", "Multiply", "Subtract", "Add"}
"""Keras operations that `x / 255` and `preprocess_input(x)` leave in a functional model."""


def is_functional(model: keras.Model) -> bool:
    """Whether Keras knows the graph of `model`, and all that stands in it, nested models too, is of Keras."""
    if not (isinstance(model, keras.Sequential) or hasattr(model, "operations")):
        return False
    inner = getattr(model, "_functional", model)  # a Sequential keeps its graph there
    return _is_of_keras(model) and all(
        is_functional(each) if isinstance(each, keras.Model) else _is_of_keras(each)
        for each in getattr(inner, "operations", model.layers)
    )


def has_graph(model: keras.Model) -> bool:
    """Whether Keras knows the graph of `model`, and of the models in it, whosever layers stand there."""
    if not (isinstance(model, keras.Sequential) or hasattr(model, "operations")):
        return False
    inner = getattr(model, "_functional", model)
    nested = (each for each in getattr(inner, "operations", model.layers) if isinstance(each, keras.Model))
    return _is_of_keras(model) and all(map(has_graph, nested))


def _is_of_keras(operation: Any) -> bool:
    return type(operation).__module__.startswith("keras.") and not isinstance(operation, layers.Lambda)


def scales_its_input(graph: keras.Model) -> bool:
    """Whether the graph begins with arithmetic on raw pixels: it needs no preprocessing of ours."""
    for operation in _operations(graph):
        if isinstance(operation, _NO_OP_IN_INFERENCE + _RESIZING) or _is_augmentation(operation):
            continue
        if type(operation).__name__ in _MOVING and not isinstance(operation, layers.Layer):
            continue
        return isinstance(operation, _SCALING) or type(operation).__name__ in _ARITHMETIC
    return False


def last_activation(graph: keras.Model) -> str | None:
    """The name of the activation that makes the output ("softmax", "linear", ...); None: not known."""
    *_, last = _operations(graph)
    if isinstance(last, layers.Softmax):
        return "softmax"
    activation = getattr(last, "activation", None)
    return getattr(activation, "__name__", None)


def _operations(graph: Any) -> Iterator[Any]:
    """In the order in which they run, with those of nested models in place."""
    inner = getattr(graph, "_functional", graph)  # a Sequential keeps its graph there
    for operation in getattr(inner, "operations", graph.layers):
        if isinstance(operation, keras.Sequential) or hasattr(operation, "operations"):
            yield from _operations(operation)
        elif isinstance(operation, layers.Pipeline):
            yield from operation.layers
        else:
            yield operation


def _is_augmentation(operation: Any) -> bool:
    """Keras names them all Random...; they pass the image through unless it trains."""
    built_in = type(operation).__module__.startswith("keras.")
    return built_in and type(operation).__name__.startswith(("Random", "AugMix", "MixUp", "CutMix"))
