"""Tests of the importance by weights: hand-made channels come out in the order they were made in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.importance import group_norm, random_importance
from resnet_edge.compression.pruning.moments import moments
from tests.compression.pruning import nets
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS


def _scaled(model: keras.Model, layer: str, weight: str, channel: int, factor: float) -> None:
    """Multiply one channel (the last axis) of one weight."""
    variable = next(w for w in model.get_layer(layer).weights if w.name == weight)
    values = np.array(keras.ops.convert_to_numpy(variable))
    values[..., channel] *= factor
    variable.assign(values)


@pytest.mark.parametrize("build", nets.NETWORKS)
def test_every_channel_that_may_go_has_a_finite_importance(build: Callable[[], keras.Model]) -> None:
    channels = nets.mapped(build())
    found = group_norm(channels)
    assert set(found) == {group.name for group in channels.prunable}
    for group in channels.prunable:
        assert found[group.name].shape == (group.channels,)
        assert np.isfinite(found[group.name]).all()
        assert (found[group.name] > 0).all()


@pytest.mark.parametrize("build", nets.NETWORKS)
def test_the_shares_of_every_reader_sum_to_one(build: Callable[[], keras.Model]) -> None:
    channels = nets.mapped(build())
    for name, values in group_norm(channels).items():
        assert values.sum() == pytest.approx(len(channels.group(name).consumers))


def test_a_channel_that_its_batch_normalization_shrinks_matters_less() -> None:
    model = nets.residual()
    before = group_norm(nets.mapped(model))["a1"]
    for weight in ("gamma", "beta"):
        _scaled(model, "a1_bn", weight, 2, 0.01)
    after = group_norm(nets.mapped(model))["a1"]
    assert after[2] < before[2] / 1000
    assert after.argmin() == 2


def test_the_kernel_before_a_batch_normalization_does_not_matter() -> None:
    """The batch normalization takes its scale out again: a norm of the filter alone is blind to it."""
    model = nets.residual()
    before = group_norm(nets.mapped(model))
    _scaled(model, "a1", "kernel", 2, 0.01)
    after = group_norm(nets.mapped(model))
    np.testing.assert_allclose(after["a1"], before["a1"])


def test_without_batch_normalization_the_filter_counts() -> None:
    model = nets.operators()
    for layer in ("stem", "block"):
        for weight in ("kernel", "bias"):
            _scaled(model, layer, weight, 5, 0.01)
    values = group_norm(nets.mapped(model))["stem"]
    assert values.argmin() == 5
    assert values[5] < np.median(values) / 1000


def test_a_channel_that_no_layer_reads_does_not_matter() -> None:
    model = nets.residual()
    kernel = model.get_layer("a2").kernel
    values = np.array(keras.ops.convert_to_numpy(kernel))
    values[:, :, 3, :] = 0
    kernel.assign(values)
    assert group_norm(nets.mapped(model))["a1"][3] == 0


def test_noise_is_seeded() -> None:
    channels = nets.mapped(nets.residual())
    one, same, other = (random_importance(channels, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["stem"], same["stem"])
    assert (one["stem"] != other["stem"]).any()


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
    found = np.square(nets.outputs(keras.Model(image, x), batch), dtype=np.float64).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(_tensor(nets.mapped(model), layer.name).energy, found, rtol=0.05)
