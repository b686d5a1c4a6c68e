"""Runs in a worker. What a Keras model's graph says of its first and last operation."""

from __future__ import annotations

import inspect
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
_RESIZING = (layers.Resizing, layers.CenterCrop, layers.Cropping2D)
"""What leaves pixels pixels: what scales them may come behind."""
_SCALING = (layers.Rescaling, layers.Normalization)
_ARITHMETIC = {"TrueDivide", "Divide", "Multiply", "Subtract", "Add", "GetItem"}
"""Keras operations that `x / 255` and `preprocess_input(x)` leave in a functional model."""


def functional_view(model: keras.Model, shape: tuple[int, int, int]) -> keras.Model | None:
    """`model` itself where its graph is known, else the graph of its `call` on a symbolic image.

    None where `call` does what no Keras graph can hold (TensorFlow functions, Python control
    flow on values).
    """
    if isinstance(model, keras.Sequential) or hasattr(model, "operations"):
        return model
    image = keras.Input(shape)
    arguments = {"training": False} if "training" in inspect.signature(model.call).parameters else {}
    try:
        return keras.Model(image, model.call(image, **arguments))
    except Exception:  # the user's own code, run in a way that it need not support
        return None


def scales_its_input(graph: keras.Model) -> bool:
    """Whether the graph begins with arithmetic on raw pixels: it needs no preprocessing of ours."""
    for operation in _operations(graph):
        if isinstance(operation, _NO_OP_IN_INFERENCE + _RESIZING) or _is_augmentation(operation):
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
        else:
            yield operation


def _is_augmentation(operation: Any) -> bool:
    """Keras names them all Random...; they pass the image through unless it trains."""
    built_in = type(operation).__module__.startswith("keras.")
    return built_in and type(operation).__name__.startswith(("Random", "AugMix", "MixUp", "CutMix"))
