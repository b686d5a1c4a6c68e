"""Tests of training.fused_batchnorm: the same network as Keras' own, only faster to train."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge import zoo
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.training.fused_batchnorm import FusedBatchNormalization
from resnet_edge.training.training_copy import training_copy

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def plain() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = zoo.build("resnet8", (8, 8, 1), 3)
    random = np.random.default_rng(1)
    model.set_weights([weight + random.uniform(0, 0.1, weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def fused(plain: keras.Model) -> keras.Model:
    return training_copy(flat_graph(plain, (8, 8, 1)), "float32")


def test_every_normalization_is_replaced_and_nothing_else(plain: keras.Model, fused: keras.Model) -> None:
    for old, new in zip(plain.layers, fused.layers, strict=True):
        expected = FusedBatchNormalization if isinstance(old, keras.layers.BatchNormalization) else type(old)
        assert type(new) is expected
    assert sum(isinstance(layer, FusedBatchNormalization) for layer in fused.layers) == 9


def test_weights_stand_in_the_same_order(plain: keras.Model, fused: keras.Model) -> None:
    for old, new in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_inference_is_the_same(plain: keras.Model, fused: keras.Model) -> None:
    np.testing.assert_allclose(fused(IMAGES), plain(IMAGES), rtol=0, atol=1e-5)


def test_training_gives_the_same_outputs_and_moving_averages() -> None:
    images = np.random.default_rng(2).normal(3, 2, (16, 5, 5, 4)).astype(np.float32)
    own, fused = keras.layers.BatchNormalization(), FusedBatchNormalization()
    # The kernel composes the same sums in another order: a few units in the last place.
    np.testing.assert_allclose(fused(images, training=True), own(images, training=True), rtol=0, atol=2e-5)
    np.testing.assert_allclose(fused.moving_mean, own.moving_mean, rtol=1e-5)
    bessel = images[..., 0].size / (images[..., 0].size - 1)
    batch_variance = (np.asarray(own.moving_variance) - 0.99) / 0.01
    np.testing.assert_allclose(fused.moving_variance, 0.99 + 0.01 * bessel * batch_variance, rtol=1e-4)


def test_what_the_kernel_cannot_do_is_left_to_keras() -> None:
    image = keras.Input((4, 4, 2))
    unusual: list[dict[str, Any]] = [{"center": False}, {"scale": False}, {"axis": 1}]
    for options in unusual:
        model = keras.Model(image, keras.layers.BatchNormalization(**options)(image))
        assert (
            type(training_copy(flat_graph(model, (4, 4, 2)), "float32").layers[-1])
            is keras.layers.BatchNormalization
        )


def test_under_mixed_precision_the_variables_stay_float32() -> None:
    layer = FusedBatchNormalization()
    output = layer(keras.ops.cast(IMAGES, "float16"), training=True)
    assert keras.backend.standardize_dtype(output.dtype) == "float16"
    assert {keras.backend.standardize_dtype(v.dtype) for v in layer.variables} == {"float32"}


def test_a_normalization_behind_a_dense_layer_trains() -> None:
    inputs = keras.Input((8, 8, 1))
    tensor = keras.layers.BatchNormalization(name="images")(inputs)
    tensor = keras.layers.Dense(6)(keras.layers.GlobalAveragePooling2D()(tensor))
    tensor = keras.layers.BatchNormalization(name="vectors")(tensor)
    model = keras.Model(inputs, keras.layers.Dense(3)(tensor))
    copy = training_copy(flat_graph(model, (8, 8, 1)), "float32")
    kinds = {layer.name: type(layer) for layer in copy.layers}
    assert kinds["images"] is FusedBatchNormalization
    assert kinds["vectors"] is keras.layers.BatchNormalization
    assert copy(IMAGES, training=True).shape == (32, 3)
