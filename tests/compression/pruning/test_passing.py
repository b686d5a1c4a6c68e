"""Tests of compression.pruning.passing: what is said of an operation, against what it computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.pruning.passing import (
    activation_obstacle,
    activation_offset,
    is_addition,
    is_concatenation,
    is_joint,
    is_product,
    obstacle,
    offset,
    scales,
)
from resnet_edge.models.functional.flat import Call, flat_graph
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS
SHAPE = (4, 4, 3)


def last(body: Callable[[Any], Any]) -> tuple[Call, keras.Model]:
    image = keras.Input(SHAPE)
    model = keras.Model(image, body(image))
    return flat_graph(model, SHAPE).calls[-1], model


def hands_on(model: keras.Model) -> bool:
    """Whether a channel of zeros stays one, and another one changes none of the others."""
    images = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    zeroed, other = images.copy(), images.copy()
    zeroed[..., 1], other[..., 1] = 0, 7
    outputs = [np.asarray(model(each, training=False)) for each in (images, zeroed, other)]
    same = all(np.array_equal(outputs[0][..., [0, 2]], each[..., [0, 2]]) for each in outputs[1:])
    return same and not outputs[1][..., 1].any()


PASSING: list[Callable[[Any], Any]] = [
    layers.ReLU(max_value=6.0),
    layers.ReLU(threshold=0.5),
    layers.LeakyReLU(),
    layers.ELU(),
    layers.MaxPooling2D(),
    layers.GlobalAveragePooling2D(),
    layers.ZeroPadding2D(),
    layers.UpSampling2D(),
    layers.Activation("gelu"),
    layers.Activation("tanh"),
    layers.Rescaling(0.5),
    lambda x: keras.ops.relu6(x),
    lambda x: keras.ops.mean(x, axis=(1, 2)),
    lambda x: keras.ops.abs(x),
    lambda x: x * 3.0,
    lambda x: 3.0 * x,
    lambda x: x / 2.0,
]


@pytest.mark.parametrize("body", PASSING)
def test_what_hands_every_channel_on_really_does(body: Callable[[Any], Any]) -> None:
    call, model = last(body)
    assert obstacle(call) is None
    assert offset(call) is None
    assert hands_on(model)


SHIFTING: list[tuple[Callable[[Any], Any], str]] = [
    (layers.ReLU(negative_slope=0.1, threshold=0.5), "is not 0 at 0"),
    (layers.Activation("sigmoid"), "ends in sigmoid, which is not 0 at 0"),
    (layers.Activation("hard_sigmoid"), "ends in hard_sigmoid, which is not 0 at 0"),
    (layers.Rescaling(1.0, 0.5), "adds an offset"),
    (lambda x: keras.ops.sigmoid(x), "is not 0 at 0"),
    (lambda x: keras.ops.exp(x), "is not 0 at 0"),
    (lambda x: x + 3.0, "adds a constant"),
    (lambda x: 1.0 - x, "adds a constant"),
]


@pytest.mark.parametrize(("body", "words"), SHIFTING)
def test_what_makes_something_of_zeros_keeps_the_channels_apart(
    body: Callable[[Any], Any], words: str
) -> None:
    call, model = last(body)
    assert obstacle(call) is None
    assert offset(call) == words
    assert not hands_on(model)
    images = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    other = images.copy()
    other[..., 1] = 7
    outputs = [np.asarray(model(each, training=False)) for each in (images, other)]
    np.testing.assert_array_equal(outputs[0][..., [0, 2]], outputs[1][..., [0, 2]])


STOPPING: list[tuple[Callable[[Any], Any], str]] = [
    (layers.Activation("softmax"), "mixes the channels (softmax)"),
    (layers.Rescaling([1.0, 2.0, 3.0]), "scales each channel by a value of its own"),
    (lambda x: 2.0 / (x + 9.0), "multiplies by more than a number"),
    (lambda x: keras.ops.mean(x, axis=-1, keepdims=True), "averages over other axes than the picture"),
    (lambda x: keras.ops.cos(x), "is of no known kind"),
    (lambda x: x + keras.ops.ones((3,)), "adds a constant for each channel"),
    (lambda x: x / x, "divides two tensors"),
    (layers.Softmax(), "is of no known kind"),
    (layers.LayerNormalization(), "normalizes by a mean or a length over channels"),
]


@pytest.mark.parametrize(("body", "words"), STOPPING)
def test_what_does_not_is_told_why(body: Callable[[Any], Any], words: str) -> None:
    assert obstacle(last(body)[0]) == words


def test_an_activation_of_a_layer_is_looked_at_by_itself() -> None:
    assert activation_obstacle(layers.Conv2D(3, 1)) is None
    assert activation_obstacle(layers.Conv2D(3, 1, activation="swish")) is None
    assert activation_obstacle(layers.Conv2D(3, 1, activation=layers.ReLU())) is None
    exponential = layers.Dense(3, activation="exponential")
    assert activation_obstacle(exponential) is None
    assert activation_offset(exponential) == "ends in exponential, which is not 0 at 0"
    assert activation_offset(layers.Conv2D(3, 1, activation="swish")) is None

    def relu(x: Any) -> Any:  # called like Keras' own, and another
        return x + 1

    assert activation_obstacle(layers.Dense(3, activation=relu)) == "ends in relu, which is not known"


def test_additions_are_of_tensors() -> None:
    assert is_addition(last(lambda x: layers.Add()([x, x]))[0])
    assert is_addition(last(lambda x: x + keras.ops.relu(x))[0])
    assert not is_addition(last(lambda x: x + 1.0)[0])
    assert not is_addition(last(lambda x: layers.Average()([x, x]))[0])


def test_what_joins_multiplies_and_concatenates_is_told_apart() -> None:
    def kinds(body: Callable[[Any], Any]) -> tuple[bool, bool, bool]:
        call = last(body)[0]
        return is_joint(call), is_product(call), is_concatenation(call)

    joint, product, row = (True, False, False), (False, True, False), (False, False, True)

    def joined(kind: type[Any]) -> tuple[bool, bool, bool]:
        return kinds(lambda x: kind()([x, keras.ops.relu(x)]))

    for kind in (layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Subtract):
        assert joined(kind) == joint
    assert kinds(lambda x: x - keras.ops.relu(x)) == joint
    assert kinds(lambda x: keras.ops.maximum(x, x * 2.0)) == joint
    assert kinds(lambda x: layers.Concatenate(axis=1)([x, x])) == joint
    assert kinds(lambda x: layers.Multiply()([x, x])) == product
    assert kinds(lambda x: x * x) == product
    assert kinds(lambda x: layers.Concatenate()([x, x])) == row
    assert kinds(lambda x: keras.ops.concatenate([x, x], axis=3)) == row
    for body in (lambda x: x * 2.0, lambda x: x - 1.0, layers.ReLU()):
        assert kinds(body) == (False, False, False)


def test_a_layer_of_zeros_makes_zeros_where_it_multiplies() -> None:
    assert scales(layers.DepthwiseConv2D(3))
    assert scales(layers.BatchNormalization())
    assert not scales(layers.BatchNormalization(scale=False))
    assert not scales(layers.PReLU())
