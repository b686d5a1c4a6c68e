"""Tests of compression.pruning.moments: what the weights foretell is what a sample shows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.moments import moments
from tests.compression.pruning import nets
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS


def _tensor(channels: ChannelMap, name: str) -> Any:
    return moments(channels)[channels.call(name).output]


def test_the_moments_behind_batch_normalization_and_relu_are_those_of_a_sample() -> None:
    channels = nets.mapped(nets.residual())
    layer = channels.call("stem_bn").operation
    gamma, beta = (np.asarray(keras.ops.convert_to_numpy(w), np.float64) for w in (layer.gamma, layer.beta))
    normal = _tensor(channels, "stem_bn")
    np.testing.assert_allclose(normal.mean, beta)
    np.testing.assert_allclose(normal.variance, gamma**2)
    sample = np.maximum(np.random.default_rng(0).normal(beta, gamma, (200_000, 8)), 0)
    rectified = _tensor(channels, "stem_relu")
    np.testing.assert_allclose(rectified.mean, sample.mean(0), rtol=0.02)
    np.testing.assert_allclose(rectified.variance, sample.var(0), rtol=0.02)


def test_the_moments_of_a_sum_are_the_sums() -> None:
    channels = nets.mapped(nets.residual())
    one, two, both = (_tensor(channels, name) for name in ("stem_relu", "a2_bn", "a_add"))
    np.testing.assert_allclose(both.mean, one.mean + two.mean)
    np.testing.assert_allclose(both.variance, one.variance + two.variance)


@pytest.mark.parametrize(
    "layer",
    [layers.Conv2D(6, 3), layers.DepthwiseConv2D(3), layers.SeparableConv2D(5, 3), layers.Conv2D(4, 1)],
)
def test_the_response_of_a_layer_without_batch_normalization_is_that_of_a_sample(layer: Any) -> None:
    """On noise with the second moment 1, whose values are independent. Behind a first convolution
    neighbours are not, and a sample shows what their independence would give no more."""
    image = keras.Input(nets.SHAPE)
    x = layer(image)
    model = keras.Model(image, nets.head(layers.Conv2D(4, 1, name="last")(x)), name="bare")  # biases are 0
    batch = np.random.default_rng(0).normal(size=(600, *nets.SHAPE)).astype(np.float32)
    energy = np.square(nets.outputs(keras.Model(image, x), batch), dtype=np.float64).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(_tensor(nets.mapped(model), layer.name).energy, energy, rtol=0.05)
