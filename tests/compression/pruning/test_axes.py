"""Tests of compression.pruning.axes: which axes of weights are channels."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.pruning.axes import kind_of, making_kernel, peculiarity, reading_kernel, resized
from resnet_edge.models.functional.flat import Call, flat_graph
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS
SHAPE = (6, 6, 4)


def last(layer: Any) -> Call:
    image = keras.Input(SHAPE)
    model = keras.Model(image, layer(image))
    return flat_graph(model, SHAPE).calls[-1]


LAYERS = [
    layers.Conv2D(5, 3),
    layers.Dense(5),
    layers.SeparableConv2D(5, 3),
    layers.DepthwiseConv2D(3),
    layers.Conv2D(4, 3, groups=4),
    layers.BatchNormalization(),
    layers.PReLU(shared_axes=[1, 2]),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_axes_have_the_length_of_the_channels(layer: Any) -> None:
    call = last(layer)
    kind = kind_of(call)
    assert kind is not None
    reads, gives = SHAPE[-1], call.shape[-1]
    for weight in layer.weights:
        axes = kind.weights[weight.name]
        assert axes.reads is None or weight.shape[axes.reads] == reads
        assert axes.gives is None or weight.shape[axes.gives] == gives
    assert resized(call, 3) == dict.fromkeys(kind.counts, 3)
    assert all(getattr(layer, name) == gives for name in kind.counts)
    assert kind.makes or gives == reads


@pytest.mark.parametrize("layer", [layers.Conv2D(5, 3), layers.Dense(5), layers.SeparableConv2D(5, 3)])
def test_a_channel_that_is_read_by_zeros_does_not_matter(layer: Any) -> None:
    image = keras.Input(SHAPE)
    model = keras.Model(image, layer(image))
    reading = reading_kernel(layer)
    assert reading is not None
    kernel, axis = reading
    values = np.moveaxis(np.array(kernel), axis, 0)
    values[2] = 0
    kernel.assign(np.moveaxis(values, 0, axis))
    images = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    other = images.copy()
    other[..., 2] = 9
    np.testing.assert_allclose(model(images), model(other), atol=1e-6)


def test_filters_lie_along_the_last_axis_and_a_depthwise_layer_reads_with_none() -> None:
    for layer in (layers.Conv2D(5, 3), layers.SeparableConv2D(5, 3), layers.Dense(5)):
        last(layer)
        kernel, axis = making_kernel(layer)
        assert kernel.shape[axis] == 5
    for depthwise in (layers.DepthwiseConv2D(3), layers.Conv2D(4, 3, groups=4)):
        last(depthwise)
        assert reading_kernel(depthwise) is None


def test_a_reshape_is_given_the_channels_that_are_left() -> None:
    assert resized(last(layers.Reshape((3, 12, 4))), 2) == {"target_shape": (3, 12, 2)}
    assert resized(last(layers.ReLU()), 2) == {}


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layers.Conv2D(4, 3, groups=2), "convolves in 2 groups"),
        (layers.Conv2D(8, 3, groups=4), "convolves in 4 groups"),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), "makes 2 channels of each"),
        (layers.SeparableConv2D(4, 3, depth_multiplier=3), "makes 3 channels of each"),
        (layers.BatchNormalization(axis=1), "normalizes axis 1 and not the channels"),
        (layers.PReLU(), None),
        (layers.PReLU(shared_axes=[1, 2, 3]), "shares its slope among the channels"),
        (layers.BatchNormalization(axis=3), None),
    ],
)
def test_what_is_peculiar_keeps_a_layer_whole(layer: Any, words: str | None) -> None:
    call = last(layer)
    assert peculiarity(call) == words
    assert (kind_of(call) is None) == (words is not None)


class Own(layers.Dense):
    """A user's class may compute anything."""


def test_only_layers_of_keras_as_they_come_are_known() -> None:
    assert kind_of(last(Own(3))) is None
    adapted = layers.Dense(3)
    call = last(adapted)
    adapted.enable_lora(2)
    assert kind_of(call) is None
