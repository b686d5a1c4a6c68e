"""Tests of the cut between what scales the pixels and what learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.tfmot.bridge import to_tf_keras
from resnet_edge.compression.tfmot.head import split_head
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def graph_of(model: keras.Model) -> FlatGraph:
    return flat_graph(model, nets.SHAPE)


def check_same(model: keras.Model) -> None:
    """Head and trunk together give what the model gives."""
    head, trunk = split_head(graph_of(model))
    images = 255 * nets.images()
    expected = nets.outputs(model, images)
    outputs = to_tf_keras(trunk)(images if head is None else head(images), training=False)
    np.testing.assert_allclose(np.asarray(outputs), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("begin", "names"),
    [
        (lambda x: x, None),
        (lambda x: x / 127.5 - 1, ["true_divide", "subtract"]),
        (layers.Rescaling(1 / 255, name="rescale"), ["rescale"]),
        (
            keras.applications.resnet.preprocess_input,
            ["get_item", "get_item_1", "get_item_2", "stack", "add"],
        ),
    ],
)
def test_the_head_is_what_scales_the_pixels(begin: Callable[[Any], Any], names: list[str] | None) -> None:
    keras.backend.clear_session()  # the names of operators are numbered through
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, nets.head(layers.Conv2D(4, 3, name="stem")(begin(image))))
    head, trunk = split_head(graph_of(model))
    assert (head and [call.name for call in head.graph.calls]) == names
    assert trunk.calls[0].name == "stem"
    if head is not None:
        images = 255 * nets.images()
        expected = np.asarray(keras.ops.convert_to_numpy(begin(keras.ops.convert_to_tensor(images))))
        np.testing.assert_array_equal(head(images), expected)


def test_a_head_that_resizes_gives_the_trunk_its_shape() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 5, 6])(layers.Resizing(8, 10)(image))
    model = nets.randomized(keras.Model(image, nets.head(layers.Conv2D(4, 3)(x))))
    _, trunk = split_head(graph_of(model))
    assert trunk.shape == (8, 10, 3)
    check_same(model)


def test_augmentation_layers_in_the_head_are_told() -> None:
    head, _ = split_head(graph_of(nets.transfer()))
    assert head is not None
    kinds = [call.kind for call in head.graph.calls if call.name in head.augmentations]
    assert kinds == ["RandomFlip", "RandomRotation"]


def test_scaling_that_feeds_two_ways_is_of_the_image_up_to_where_they_meet() -> None:
    image = keras.Input(nets.SHAPE)
    x = layers.Rescaling(1 / 255)(image)
    y = layers.Rescaling(2.0)(x)
    model = nets.randomized(keras.Model(image, nets.head(layers.Concatenate()([x, y]))))
    head, trunk = split_head(graph_of(model))
    assert head is not None
    assert trunk.shape == (*nets.SHAPE[:2], 2 * nets.SHAPE[2])
    check_same(model)
