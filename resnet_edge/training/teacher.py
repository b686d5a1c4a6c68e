"""Runs in a worker. The teacher of a distillation: any MODEL that tells the same classes apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.data.pixels import preprocessed
from resnet_edge.models import ModelRequest, OpenedModel, open_model
from resnet_edge.models.compiled import compiled
from resnet_edge.models.flat import flat_graph
from resnet_edge.training.losses import as_logits
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_copy import training_copy
from resnet_edge.workers.progress import OnProgress

Pixels = NDArray[np.float32]


def teacher_of(
    recipe: Recipe, shape: tuple[int, int, int], classes: int, on_progress: OnProgress
) -> Callable[[Pixels], Pixels] | None:
    """From (B, H, W, C) raw pixels to the teacher's (B, classes) logits; None without a teacher.

    It runs in inference mode and in the recipe's precision. Raises UsageError where it takes
    other images or tells other classes apart than the student; what opening a model raises.
    """
    if recipe.teacher is None:
        return None
    opened = open_model(ModelRequest(recipe.teacher), on_progress)
    facts = opened.facts
    if facts.input_shape != shape or facts.classes != classes:
        raise UsageError(
            f"--teacher {recipe.teacher} takes {_size(facts.input_shape)} images of {facts.classes} classes, "
            f"and the student {_size(shape)} of {classes}: choose one that was trained on the same data"
        )
    network = _compiled(_network(opened, recipe))

    def logits(pixels: Pixels) -> Pixels:
        outputs = network(preprocessed(pixels, facts.preprocessing))
        scores = keras.ops.cast(as_logits(outputs, facts.head), "float32")
        return np.asarray(keras.ops.convert_to_numpy(scores))

    return logits


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
