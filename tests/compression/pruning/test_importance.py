"""Tests of the importance by weights: hand-made channels come out in the order they were made in."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from resnet_edge.compression.pruning.importance import group_norm, random_importance
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
    norms = group_norm(channels)
    assert set(norms) == {group.name for group in channels.prunable}
    for group in channels.prunable:
        assert norms[group.name].shape == (group.channels,)
        assert np.isfinite(norms[group.name]).all()
        assert (norms[group.name] > 0).all()


@pytest.mark.parametrize("build", nets.NETWORKS)
def test_the_shares_of_every_reader_sum_to_one(build: Callable[[], keras.Model]) -> None:
    channels = nets.mapped(build())
    norms = group_norm(channels)
    readers = {name for group in channels.prunable for name in group.consumers}
    assert sum(values.sum() for values in norms.values()) == pytest.approx(len(readers))
    for name, values in norms.items():
        consumers = channels.group(name).consumers
        if all(channels.reads(channels.call(reader)).groups == (name,) for reader in consumers):
            assert values.sum() == pytest.approx(len(consumers))


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
