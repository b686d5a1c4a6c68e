"""Where NaN and infinity begin."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models.non_finite import check_weights, origin_of

IMAGES = np.ones((2, 4, 4, 3), np.float32)


def overflowing() -> keras.Model:
    """Its second layer multiplies by what float32 has no square of, its third squares that."""
    image = keras.Input((4, 4, 3))
    pooled = layers.GlobalAveragePooling2D(name="pooled")(image)
    large = layers.Rescaling(1e30, name="large")(pooled)
    squared = layers.Multiply(name="squared")([large, large])
    return keras.Model(image, layers.Dense(2, name="scores")(squared))


class Network(keras.Model):
    """A graph that depends on its data, so that no functional model can be had of it."""

    def __init__(self) -> None:
        super().__init__()
        self.pooled = layers.GlobalAveragePooling2D(name="pooled")
        self.norm = layers.BatchNormalization(name="norm")
        self.scores = layers.Dense(2, name="scores")

    def call(self, images: object) -> object:
        pooled = self.pooled(images)
        for _ in range(int(keras.ops.convert_to_numpy(keras.ops.max(pooled)))):
            pooled = self.norm(pooled, training=False)
        return self.scores(pooled)


def test_the_first_layer_is_named_with_what_it_gets() -> None:
    model = overflowing()
    text = origin_of(model, IMAGES, lambda: model(IMAGES))
    assert text == "layer 'squared' (Multiply), which gets numbers up to 1e+30"


def test_an_operation_that_is_no_layer_is_named_too() -> None:
    image = keras.Input((4, 4, 3))
    divided = layers.GlobalAveragePooling2D()(image) / 0.0
    model = keras.Model(image, layers.Dense(2, name="scores")(divided))
    assert "(TrueDivide), which gets numbers up to 1" in origin_of(model, IMAGES, lambda: model(IMAGES))


def test_of_a_class_whose_graph_is_not_known_the_layers_are_watched() -> None:
    model = Network()
    model(IMAGES)
    model.norm.moving_variance.assign([-1.0, 1.0, 2.0])
    text = origin_of(model, IMAGES, lambda: model(IMAGES))
    assert text.startswith("layer 'norm' (BatchNormalization); its ")
    assert "moving_variance is from -1 to 2" in text


def test_where_all_is_finite_there_is_no_origin() -> None:
    model = overflowing()
    assert not origin_of(model, 0 * IMAGES, lambda: model(0 * IMAGES))
    assert not origin_of(object(), IMAGES, lambda: None)


def test_weights_are_counted_and_the_first_is_named() -> None:
    good, bad = np.ones((3, 4), np.float32), np.array([1, np.nan, np.inf, 2], np.float32)
    weights = [("a/kernel", good), ("a/bias", bad), ("b/kernel", good * np.inf), ("steps", np.arange(3))]
    check_weights([("a/kernel", good), ("steps", np.arange(3))], "net.keras")
    with pytest.raises(ModelError) as raised:
        check_weights(weights, "net.keras")
    assert "2 of 4 weights hold NaN or infinity, first a/bias (2 of 4 numbers): " in str(raised.value)
    assert "give a checkpoint from before" in str(raised.value)
