"""Layers one by one, on images of any size: their answers, what they read, and what mixes images up."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.models.functional.layer_runs import End, ends_read, run_layers
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
BOTH = frozenset({(0, 0), (0, -1), (1, 0), (1, -1)})


def test_at_its_own_size_a_network_gives_its_own_bits() -> None:
    model = nets.transfer()  # with augmentation and dropout, which are for training
    ours = run_layers(flat_graph(model, nets.SHAPE), nets.images())
    np.testing.assert_array_equal(ours, nets.outputs(model, nets.images()))


@pytest.mark.parametrize(
    ("layer", "read"),
    [
        (layers.GlobalAveragePooling2D(), BOTH),
        (layers.GlobalMaxPooling2D(), BOTH),
        (layers.Resizing(5, 5), BOTH),
        (layers.CenterCrop(4, 8), {(1, 0), (1, -1)}),
        (layers.MaxPooling2D((3, 8)), {(0, 0), (1, 0), (1, -1)}),
        (layers.Cropping2D(((0, 2), (1, 0))), {(0, 0), (1, -1)}),
    ],
)
def test_what_a_layer_reads_of_the_ends_of_a_picture(layer: layers.Layer, read: set[End]) -> None:
    image = keras.Input((8, 8, 3))
    (call,) = flat_graph(keras.Model(image, layer(image)), (8, 8, 3)).calls
    assert ends_read(call, (8, 8, 3), (0, 1)) == read


def _windows(rows_of_pixels: bool) -> keras.Model:
    """Windows of 4 x 4 pixels in the batch and back to a picture, whose size is constant or pooled away."""
    image = keras.Input((8, 8, 3))
    x = keras.ops.reshape(layers.Conv2D(4, 3, padding="same")(image), (-1, 2, 4, 2, 4, 4))
    x = layers.LayerNormalization()(keras.ops.reshape(x, (-1, 4, 4, 4)))
    back = keras.ops.reshape(x, (-1, 64, 4) if rows_of_pixels else (-1, 8, 8, 4))
    pooled = keras.ops.mean(back, axis=1 if rows_of_pixels else (1, 2))
    return nets.randomized(keras.Model(image, layers.Dense(4)(pooled)))


@pytest.mark.parametrize("rows_of_pixels", [True, False])
def test_pixels_in_the_place_of_images_are_refused(rows_of_pixels: bool) -> None:
    graph = flat_graph(_windows(rows_of_pixels), (8, 8, 3))
    assert len(run_layers(graph, nets.images((8, 8, 3)))) == 3
    with pytest.raises(
        ModelError, match=r"\(Reshape\) has a number of pixels .* 3 images would get 12 answers"
    ):
        run_layers(graph, nets.images((16, 16, 3)))


def test_a_layer_that_does_not_take_a_size_is_named() -> None:
    graph = flat_graph(_windows(True), (8, 8, 3))
    with pytest.raises(
        ModelError, match=r"images of 9 x 9: the layer \S+ \(Reshape\) does not take .*Input to"
    ):
        run_layers(graph, nets.images((9, 9, 3)))
