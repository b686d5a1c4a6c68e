"""Runs in a worker. Keras 3 to tf_keras and back, checked numerically each time.

tensorflow-model-optimization works on tf_keras only (tensorflow/model-optimization#1119), and
tf_keras reads no file that Keras 3 writes (tensorflow/tensorflow#66381). So the network is
rebuilt, call by call, and its weights are copied layer by layer; no file and no deserialiser is
involved. What scales the pixels stays in Keras 3: see `head`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tf_keras
from numpy.typing import NDArray

from resnet_edge.compression.tfmot.head import run
from resnet_edge.compression.tfmot.layers import tf_keras_layer, weight_name
from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models._state import finalize_state
from resnet_edge.models.functional.flat import (
    Call,
    FlatGraph,
    copied,
    copy_weights,
    filled,
    flat_graph,
    rebuild,
)
from resnet_edge.models.witness import full_float32

Pixels = NDArray[np.float32]

LAYER_TOLERANCE = 1e-5
"""Largest difference of one layer on the same input, as a part of its largest output. Over the zoo
and ResNet, ResNetV2 and MobileNetV2 of keras.applications with random weights it is at most 3.3e-7."""

TOLERANCE = 1e-4
"""The same from end to end, where roundings pile up: at most 4.4e-6 on those networks, 20 to 152
layers deep. A layer wired wrongly gives more than 1e-2."""

IMAGES = 2
_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")  # what TensorFlow takes as a scope


def to_tf_keras(graph: FlatGraph) -> Any:
    """A flat, functional tf_keras.Model, float32, that computes what `graph` computes.

    Its layers bear the names of the calls; regularizers, constraints and `trainable` are kept.
    Raises ModelError for a layer that tf_keras does not have, for weights that do not match by
    name and shape, and where a layer or the whole gives other numbers than in Keras 3.
    """
    graph = _in_float32(_modeless(graph))
    by_operation: dict[int, Any] = {}

    def make(call: Call) -> Any:
        if not _SCOPE_NAME.fullmatch(call.name):
            raise ModelError(
                f"the layer {call.name!r} has a name that TensorFlow does not take: begin with a letter "
                "or a digit, and use letters, digits and _ . - only"
            )
        by_operation[id(call.operation)] = tf_keras_layer(call)
        return by_operation[id(call.operation)]

    try:
        model = rebuild(graph, make, framework=tf_keras)
    except (TypeError, ValueError) as error:
        raise ModelError(f"tf_keras cannot rebuild {graph.name}: {first_line(error)}") from error
    for call, layer in _pairs(graph, model):
        _check_weights(call, layer)
        layer.set_weights(call.operation.get_weights())
    finalize_state(model)
    with full_float32():
        _check_calls(graph, by_operation)
        _check_whole(graph, model)
    return model


def to_keras(model: Any, graph: FlatGraph) -> None:
    """Put the weights of a tf_keras `model` into the layers of `graph`, those of the user's model.

    `model` is one from `to_tf_keras`, fitted and stripped of wrappers. Raises ModelError where a
    layer is missing, where weights do not match by name and shape, or the outputs then differ.
    """
    pairs = list(_pairs(graph, model))
    for call, layer in pairs:  # all of them before any is changed
        _check_weights(call, layer)
    for call, layer in pairs:
        call.operation.set_weights(layer.get_weights())
        finalize_state(call.operation)
    with full_float32():
        _check_whole(_in_float32(graph), model)


def _modeless(graph: FlatGraph) -> FlatGraph:
    """`graph` without the `training` of its calls. Keras 3 notes a default there (False for a
    Dropout) and goes by what the model is called with; tf_keras would stick to what is noted."""

    def free(call: Call) -> Call:
        return replace(call, kwargs={k: v for k, v in call.kwargs.items() if k != "training"})

    return replace(graph, calls=tuple(map(free, graph.calls)))


def _in_float32(graph: FlatGraph) -> FlatGraph:
    """`graph`, or a float32 copy of it with the same names where a layer computes in less."""
    layers = [call.operation for call in graph.calls if isinstance(call.operation, keras.Layer)]
    for layer in layers:
        if layer.variable_dtype != "float32":
            raise ModelError(
                f"the layer {layer.name} stores its weights in {layer.variable_dtype}: pruning and QAT need "
                "the float32 model that it was made of"
            )
    if all(layer.compute_dtype == "float32" for layer in layers):
        return graph
    model = rebuild(graph, lambda call: copied(call, dtype="float32"))
    copy_weights(graph, model)
    return flat_graph(model, graph.shape)


def _pairs(graph: FlatGraph, model: Any) -> Iterator[tuple[Call, Any]]:
    """Each layer of `graph` that has weights, once, with that of `model`. Raises ModelError."""
    layers = {layer.name: layer for layer in model.layers}
    seen: set[int] = set()
    for call in graph.calls:
        if id(call.operation) in seen or not getattr(call.operation, "weights", ()):
            continue
        seen.add(id(call.operation))
        if call.name not in layers:
            raise ModelError(f"the layer {call.name} is missing in the tf_keras model; nothing was copied")
        yield call, layers[call.name]


def _check_weights(call: Call, layer: Any) -> None:
    def known(path: str) -> str:
        return weight_name(call.kind, path.split("/")[-1])

    ours = [(known(weight.path), tuple(weight.shape)) for weight in call.operation.weights]
    theirs = [(weight.name.split("/")[-1].split(":")[0], tuple(weight.shape)) for weight in layer.weights]
    if ours != theirs:
        raise ModelError(
            f"the layer {call.name} has the weights {ours} in Keras 3 and {theirs} in tf_keras; nothing "
            "was copied"
        )


def _noise(graph: FlatGraph) -> Pixels:
    return np.random.default_rng(0).standard_normal((IMAGES, *graph.shape), np.float32)


def _check_calls(graph: FlatGraph, by_operation: dict[int, Any]) -> None:
    """Each layer on what the layer before it gives in Keras 3, so that no difference piles up."""
    tensors = {graph.input: keras.ops.convert_to_tensor(_noise(graph))}
    last = {tensor: number for number, call in enumerate(graph.calls) for tensor in call.inputs}
    for number, call in enumerate(graph.calls):
        args, kwargs = filled(call, tensors)
        theirs = by_operation[id(call.operation)](*args, **kwargs)
        tensors[call.output] = run(call, tensors)
        difference = _difference(tensors[call.output], theirs)
        if not difference <= LAYER_TOLERANCE:
            raise ModelError(
                f"the layer {call.name} ({call.kind}) gives other numbers in tf_keras than in Keras 3 (by "
                f"{difference:.1e} of the largest): replace it by another layer"
            )
        for tensor in {tensor for tensor in call.inputs if last[tensor] == number}:
            del tensors[tensor]


def _check_whole(graph: FlatGraph, model: Any) -> None:
    images = _noise(graph)
    tensors = {graph.input: keras.ops.convert_to_tensor(images)}
    for call in graph.calls:
        tensors[call.output] = run(call, tensors)
    difference = _difference(tensors[graph.output], model(images, training=False))
    if not difference <= TOLERANCE:
        raise ModelError(
            f"{graph.name} gives other numbers in tf_keras than in Keras 3 (by {difference:.1e} of the "
            "largest): a layer is called in a way that does not carry over"
        )


def _difference(ours: Any, theirs: Any) -> float:
    """The largest difference as a part of the largest value; NaN where one is not finite."""
    one, other = np.asarray(ours, np.float32), np.asarray(theirs, np.float32)
    if one.shape != other.shape:
        return float("inf")
    scale = max(float(np.abs(one).max()), float(np.abs(other).max()))
    return float(np.abs(one - other).max()) / scale if scale else 0.0
