"""A compiled network gives what its layers give one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.models.compiled import compiled


@pytest.mark.parametrize("slope", [0.1, 0.3])
def test_a_leaky_relu_behind_an_addition_keeps_its_slope(slope: float) -> None:
    """With TensorFlow's own settings it is 0.2, by oneDNN: off by more than half."""
    image = keras.Input((16, 16, 8))
    x = keras.layers.Add()([keras.layers.Conv2D(8, 3, padding="same")(image), image])
    model = keras.Model(image, keras.layers.LeakyReLU(negative_slope=slope)(x))
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 8)).astype(np.float32)
    expected = np.asarray(model(images, training=False))
    outputs = compiled(lambda given: model(given, training=False))(tf.constant(images)).numpy()
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
