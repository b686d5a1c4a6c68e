"""Tests of training.moving_statistics."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.training.moving_statistics import forget_in_time


def network() -> keras.Model:
    image = keras.Input((4, 4, 1))
    x = layers.BatchNormalization(name="bn")(image)
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))


@pytest.mark.parametrize("steps", [1, 5, 40])
def test_after_a_short_training_the_statistics_are_those_of_the_images(steps: int) -> None:
    images = np.random.default_rng(0).normal(100.0, 5.0, (16, 4, 4, 1)).astype(np.float32)
    model = network()
    forget_in_time(model, steps)
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    for _ in range(steps):
        model.train_on_batch(images, np.zeros((16, 2), np.float32))
    bn = model.get_layer("bn")
    assert float(bn.moving_mean.numpy()[0]) == pytest.approx(images.mean(), rel=2e-3)
    assert float(bn.moving_variance.numpy()[0]) == pytest.approx(images.var(), rel=2e-2)


def test_a_long_training_keeps_the_momentum_of_the_layer() -> None:
    model = network()
    forget_in_time(model, 10_000)
    assert model.get_layer("bn").momentum == 0.99


def test_statistics_of_a_network_that_was_trained_stay() -> None:
    model = network()
    model.get_layer("bn").moving_mean.assign([3.0])
    forget_in_time(model, 5)
    assert model.get_layer("bn").momentum == 0.99
