"""Runs in a worker. How much each channel matters, by what the loss says on real images.

The first-order Taylor score of Molchanov et al., "Importance Estimation for Neural Network
Pruning", arXiv:1906.10771: the squared change of the loss when the weights of a channel
become zero, averaged over batches. The weights are those with which all later layers read the
channel: to zero them is exactly to remove the channel, for a residual stream and for a
network without batch normalization as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.pruning import axes
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.importance import Importance
from resnet_edge.compression.pruning.moments import along
from resnet_edge.core.errors import DataError, ResnetEdgeError
from resnet_edge.models.functional.flat import Call

Gradients = Callable[[Any, Any], list[NDArray[Any]]]
"""From images (B, H, W, C), as the model takes them, and their labels to the gradient of the mean
loss for each variable."""

Loss = Callable[[Any, Any], Any]
"""From labels and outputs to a tensor: one loss for each image, or their mean."""


def variables(channels: ChannelMap) -> list[Any]:
    """The kernels of the graph's layers, whose gradients `taylor` needs."""
    return [weight for _, weight, _ in _readers(channels)]


def taylor(channels: ChannelMap, gradients: Gradients, batches: Iterable[tuple[Any, Any]]) -> Importance:
    """The score of every channel of the groups that can be pruned, in units of loss squared.

    Small batches (10 images) say more than large ones, whose mean gradient is close to zero
    for a trained network. Raises DataError where there is no batch or a gradient is not finite.
    """
    scores = {group.name: np.zeros(group.channels) for group in channels.prunable}
    readers = _readers(channels)
    count = 0
    for images, labels in batches:
        changes = {name: np.zeros_like(values) for name, values in scores.items()}
        for (call, weight, axis), gradient in zip(readers, gradients(images, labels), strict=True):
            product = along(axes.array(weight) * gradient, axis)
            for name, span in channels.spans(channels.reads(call)):
                if name in changes:
                    changes[name] += product[span]
        for name, change in changes.items():
            scores[name] += change**2
        count += 1
    if not count:
        raise DataError("there are no images to rank the channels with: give some")
    if not all(np.isfinite(values).all() for values in scores.values()):
        raise DataError(
            "the gradients hold NaN or infinity: check the labels, the preprocessing and the model"
        )
    return {name: values / count for name, values in scores.items()}


def gradients(model: keras.Model, variables: list[Any], loss: Loss) -> Gradients:
    """Gradients of `loss` on `model` in inference mode, on the TensorFlow or the JAX backend.

    Raises ResnetEdgeError on another.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _with_tensorflow(model, variables, loss)
    if backend == "jax":
        return _with_jax(model, variables, loss)
    raise ResnetEdgeError(
        f"gradients for pruning are not made on the Keras backend {backend}: set KERAS_BACKEND to tensorflow "
        "or jax, or rank the channels by their norm"
    )


def _with_tensorflow(model: keras.Model, variables: list[Any], loss: Loss) -> Gradients:
    import tensorflow as tf

    values = [variable.value for variable in variables]

    def slope(images: Any, labels: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for value in values:  # those of frozen layers too
                tape.watch(value)
            mean = tf.reduce_mean(loss(labels, model(images, training=False)))
        return tape.gradient(mean, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    traced = tf.function(slope)

    def run(images: Any, labels: Any) -> list[NDArray[Any]]:
        # as tensors: an array would be a constant, and every batch a function of its own
        gradients = traced(tf.convert_to_tensor(images), tf.convert_to_tensor(labels))
        return [np.asarray(tf.convert_to_tensor(gradient)) for gradient in gradients]

    return run


def _with_jax(model: keras.Model, variables: list[Any], loss: Loss) -> Gradients:
    import jax

    def mean_loss(values: list[Any], images: Any, labels: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return keras.ops.mean(loss(labels, model(images, training=False)))

    traced = jax.jit(jax.grad(mean_loss))

    def run(images: Any, labels: Any) -> list[NDArray[Any]]:
        values = [variable.value for variable in variables]
        return [np.asarray(gradient) for gradient in traced(values, images, labels)]

    return run


def _readers(channels: ChannelMap) -> list[tuple[Call, Any, int]]:
    """Every kernel that reads a group which can be pruned: its call, the variable, the axis."""
    prunable = {group.name for group in channels.prunable}
    readers = []
    for call in channels.graph.calls:
        if axes.kind_of(call) and prunable.intersection(channels.reads(call).groups):
            reading = axes.reading_kernel(call.operation)
            readers += [(call, *reading)] if reading else []
    return readers
