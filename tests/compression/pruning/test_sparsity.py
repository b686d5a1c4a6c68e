"""Tests of the loss term: it counts what it says, and training with it drives channels to zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.sparsity import penalty
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import copied, copy_weights, rebuild
from tests.compression.pruning import nets
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS


def _copy(channels: ChannelMap) -> keras.Model:
    model = rebuild(channels.graph, copied)
    copy_weights(channels.graph, model)
    return model


def _gamma(model: keras.Model, name: str) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(model.get_layer(f"{name}_bn").gamma))


def test_it_is_the_group_lasso_on_the_scales() -> None:
    channels = nets.mapped(nets.residual())
    model = _copy(channels)
    inner = np.abs(_gamma(model, "a1")).sum()
    joined = np.sqrt((_gamma(model, "stem") ** 2 + _gamma(model, "a2") ** 2) / 2).sum()
    two = tuple(replace(g, reason=None if g.name in ("a1", "stem") else "stays") for g in channels.groups)
    assert float(penalty(model, replace(channels, groups=two), 0.1)) == pytest.approx(
        0.1 * (inner + joined), rel=1e-5
    )


def test_without_scales_it_is_on_the_filters() -> None:
    channels = nets.mapped(nets.operators())
    model = _copy(channels)
    kernels = [np.asarray(keras.ops.convert_to_numpy(model.get_layer(n).kernel)) for n in ("stem", "block")]
    squares = sum((kernel**2).mean(axis=(0, 1, 2)) for kernel in kernels) / 2
    value = float(penalty(model, channels, 2.0))
    assert value == pytest.approx(2 * np.sqrt(squares).sum(), rel=1e-5)


def test_all_kinds_of_layers_have_a_penalty() -> None:
    channels = nets.mapped(nets.plain())
    assert float(penalty(_copy(channels), channels, 1.0)) > 1


def test_training_with_it_alone_shrinks_a_joined_channel_in_all_its_layers() -> None:
    channels = nets.mapped(nets.residual())
    model = _copy(channels)
    for name in ("stem", "a2"):  # one channel that is nearly gone already
        layer = model.get_layer(f"{name}_bn")
        layer.gamma.assign(np.where(np.arange(8) == 3, 0.02, _gamma(model, name)))

    def loss(labels: Any, outputs: Any) -> Any:
        return 0 * keras.ops.sum(outputs) + penalty(model, channels, 1.0)

    model.compile(keras.optimizers.SGD(0.002), loss, run_eagerly=True)
    before = _gamma(model, "stem").copy(), _gamma(model, "a2").copy()
    model.fit(np.tile(nets.images(), (10, 1, 1, 1)), np.zeros(20), batch_size=2, verbose=0)
    for name, old in zip(("stem", "a2"), before, strict=True):
        assert abs(_gamma(model, name)[3]) < 0.01
        assert (np.delete(_gamma(model, name), 3) < np.delete(old, 3)).all()
        assert (np.delete(_gamma(model, name), 3) > 0.4).all()


def test_a_model_with_other_names_is_refused() -> None:
    channels = nets.mapped(nets.nested())
    with pytest.raises(ModelError, match="nested has no layer trunk_stem_bn: rebuild it"):
        penalty(nets.nested(), channels, 1.0)
