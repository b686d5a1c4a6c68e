"""Runs in a worker. What stands in a network before the first layer that learns, cut off.

It stays in Keras 3, where it runs on the images before they are fed: tf_keras has no such
operators, tfmot cannot quantize a Rescaling (tensorflow/model-optimization#647), and pixels
that are scaled once need not be scaled in a graph that is trained.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor, filled

Pixels = NDArray[np.float32]

_SCALING = (
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.Resizing,
    keras.layers.CenterCrop,
    keras.layers.Concatenate,  # of the colours in another order
)


@dataclass(frozen=True)
class FakeHead:
    """What stands before the first layer that learns, run in Keras 3 in inference mode.

    Maps (B, H, W, C) float32, as the model takes them, to what the trunk takes, float32.
    `augmentations` are the layers in it that would act in training, and do not here.
    """

    graph: FlatGraph
    augmentations: tuple[str, ...]

    def __call__(self, images: Pixels) -> Pixels:
        tensors = {self.graph.input: keras.ops.convert_to_tensor(images, "float32")}
        for call in self.graph.calls:
            tensors[call.output] = run(call, tensors)
        output = keras.ops.cast(tensors[self.graph.output], "float32")
        return np.asarray(keras.ops.convert_to_numpy(output))


def split_head(graph: FlatGraph) -> tuple[FakeHead | None, FlatGraph]:
    """The preprocessing at the head of `graph` and the trunk behind it; None where there is none.

    To the head belong scaling, resizing and augmentation layers and all operators (`x / 255`,
    `x[..., ::-1]`, `preprocess_input(x)`) that depend on nothing but the image and each other.
    Where more than one tensor crosses to the rest, nothing is split off.
    """
    inside, reached = _preprocessing(graph)
    rest = tuple(call for call in graph.calls if call.output not in reached)
    crossing = {tensor for call in rest for tensor in call.inputs if tensor in reached}
    if not inside or len(crossing) != 1 or crossing == {graph.input}:
        return None, graph
    (cut,) = crossing
    augmentations = tuple(call.name for call in inside if _augments(call.operation))
    head = FakeHead(replace(graph, output=cut, calls=tuple(inside)), augmentations)
    shape = head(np.zeros((1, *graph.shape), np.float32)).shape[1:]
    return head, replace(graph, shape=shape, input=cut, calls=rest)


def run(call: Call, tensors: dict[FlatTensor, Any]) -> Any:
    """The call in inference mode. It has to be said: augmentation layers act unless told not to."""
    args, kwargs = filled(call, tensors)
    layer = call.operation
    if isinstance(layer, keras.Layer) and "training" in inspect.signature(layer.call).parameters:
        kwargs = {**kwargs, "training": False}
    return layer(*args, **kwargs)


def _preprocessing(graph: FlatGraph) -> tuple[list[Call], set[FlatTensor]]:
    reached, inside = {graph.input}, []
    for call in graph.calls:
        if reached.issuperset(call.inputs) and _preprocesses(call.operation):
            inside.append(call)
            reached.add(call.output)
    return inside, reached


def _preprocesses(operation: Any) -> bool:
    is_operator = not isinstance(operation, keras.Layer)
    return is_operator or type(operation) in _SCALING or _augments(operation)


def _augments(operation: Any) -> bool:
    """Keras derives its augmentation layers from one class, which it does not export."""
    built_in = type(operation).__module__.startswith("keras.")
    return built_in and any(
        base.__name__ == "BaseImagePreprocessingLayer" for base in type(operation).__mro__
    )
