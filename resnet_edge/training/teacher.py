"""Runs in a worker. The teacher of a distillation: any MODEL that tells the same classes apart. An embedding
that is pruned, or trained for int8, has itself for a teacher where none is named: as it was before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.core.head import Head
from resnet_edge.data.pixels import preprocessed
from resnet_edge.models import ModelRequest, OpenedModel, open_model
from resnet_edge.models.compiled import compiled
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.training.losses import as_logits
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_copy import training_copy
from resnet_edge.workers.progress import OnProgress

Pixels = NDArray[np.float32]


def teacher_of(
    recipe: Recipe,
    shape: tuple[int, int, int],
    head: Head,
    on_progress: OnProgress,
    own: OpenedModel | None = None,
) -> Callable[[Pixels], Pixels] | None:
    """From (B, H, W, C) raw pixels to the teacher's (B, classes) logits, or its embedding; None without a
    teacher. `own` is the student before it is changed, whose weights stay as they are.

    It runs in inference mode and in the recipe's precision. Raises UsageError where it takes
    other images or tells other classes apart than the student; what opening a model raises.
    """
    request = recipe.teacher_request(shape)
    if request is None:
        return _itself(own) if own is not None and head.kind == "embedding" else None
    opened = _opened(request, head, on_progress)
    facts = opened.facts
    if facts.input_shape != shape or _purpose(facts.head) != _purpose(head):
        raise UsageError(
            f"--teacher {recipe.teacher} takes {_size(facts.input_shape)} images of {_purpose(facts.head)}, "
            f"and the student {_size(shape)} of {_purpose(head)}: choose one that was trained on the same "
            "data"
        )
    network = _compiled(_network(opened, recipe))

    def logits(pixels: Pixels) -> Pixels:
        outputs = network(preprocessed(pixels, facts.preprocessing))
        scores = keras.ops.cast(as_logits(outputs, facts.head), "float32")
        return np.asarray(keras.ops.convert_to_numpy(scores))

    return logits


def _opened(request: ModelRequest, head: Head, on_progress: OnProgress) -> OpenedModel:
    """The teacher for a student of that head; where nothing tells what its outputs are, they are taken as the
    student's. Raises ModelError and UsageError with what to say of a teacher, where opening raises them of a
    model."""
    try:
        opened = open_model(request, on_progress)
        if opened.facts.assumed and opened.facts.head.kind != head.kind and head.kind != "binary":
            opened = open_model(replace(request, head=head.kind), on_progress)
    except (ModelError, UsageError) as error:
        raise type(error)(_of_teacher(str(error), request.source)) from error
    return opened


def _of_teacher(message: str, source: str) -> str:
    """The sentence with the options that are the teacher's; its size is that of the student's images."""
    for option in ("--preprocess", "--output"):
        message = message.replace(option, option.replace("--", "--teacher-"))
    if "--input-shape" in message:
        message = message.replace("--input-shape", "the student's size")
        message = f"{message}: choose one that was trained on the same data"
    return f"--teacher {source}: {message.removeprefix(f'{source} ')}"


def _itself(own: OpenedModel) -> Callable[[Pixels], Pixels]:
    network, how = _compiled(own.network), own.facts.preprocessing

    def outputs(pixels: Pixels) -> Pixels:
        answer = network(keras.ops.convert_to_tensor(preprocessed(pixels, how)))
        return np.asarray(keras.ops.convert_to_numpy(answer), np.float32)

    return outputs


def _purpose(head: Head) -> str:
    """What a head tells apart, for people."""
    if head.kind == "embedding":
        return f"an embedding of {head.dimensions} numbers"
    return f"{head.classes} {'labels' if head.kind == 'multilabel' else 'classes'}"


def _network(opened: OpenedModel, recipe: Recipe) -> Callable[[Any], Any]:
    """The teacher in the recipe's precision where its graph is known, else as it is."""
    if recipe.precision == "float32" or not isinstance(opened.trackable, keras.Model):
        return opened.network
    try:
        graph = flat_graph(opened.trackable, opened.facts.input_shape)
    except ModelError:
        return opened.network
    copy = training_copy(graph, recipe.precision)
    return lambda images: copy(images, training=False)


def _compiled(network: Callable[[Any], Any]) -> Callable[[Any], Any]:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return compiled(network)
    if backend == "jax":
        import jax

        network_on_jax: Callable[[Any], Any] = jax.jit(network)
        return network_on_jax
    return network


def _size(shape: tuple[int, int, int]) -> str:
    return "x".join(map(str, shape))
