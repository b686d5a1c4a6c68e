"""Tests that removing channels is exactly what zeroing them is, on every family of networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_edge import zoo
from resnet_edge.compression.pruning import Selection
from resnet_edge.compression.pruning.cost import cost
from resnet_edge.compression.pruning.groups import ChannelMap
from resnet_edge.compression.pruning.slicing import sliced
from resnet_edge.models._macs import MacCounter
from tests.compression.pruning import nets
from tests.compression.pruning.masking import masked
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS

SMALL = (32, 32, 3)
NOISE = 2e-5
"""Of the largest output: sums in another order. Measured: 2e-7, on the small networks and on a
ResNet-50; the rest is for deeper ones and for other kernels of the backend."""


def _proved(channels: ChannelMap, selection: Selection) -> keras.Model:
    """The sliced model, when it computes what the masked one does and costs what was foretold."""
    small, full = sliced(channels, selection), masked(channels, selection)
    batch = nets.images(channels.graph.shape)
    counter = MacCounter(small)
    with counter:
        outputs = nets.outputs(small, batch)
    wanted = nets.outputs(full, batch)
    assert np.abs(outputs - wanted).max() <= NOISE * np.abs(wanted).max()
    after = cost(channels, selection)
    assert small.count_params() == after.parameters
    # None where a layer has weights that are no filter, as a PReLU
    assert counter.macs_per_image(len(batch)) in (after.macs, None)
    return small


def _differs(one: keras.Model, other: keras.Model, shape: tuple[int, int, int]) -> bool:
    batch = nets.images(shape)
    a, b = nets.outputs(one, batch), nets.outputs(other, batch)
    return bool(np.abs(a - b).max() > 100 * NOISE * np.abs(b).max())


@pytest.mark.parametrize("build", nets.NETWORKS)
def test_sliced_is_masked_on_small_networks(build: Callable[[], keras.Model]) -> None:
    model = build()
    before = [np.array(weight) for weight in model.get_weights()]
    channels = nets.mapped(model)
    for seed in (0, 1):
        small = _proved(channels, nets.drawn(channels, seed))
        assert small.count_params() < model.count_params()
        assert _differs(small, model, nets.SHAPE)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("name", ["resnet8", "resnet18-v2", "article"])
def test_sliced_is_masked_on_the_zoo(name: str) -> None:
    model = nets.alive(zoo.build(name, SMALL, 10))
    channels = nets.mapped(model, SMALL)
    assert _differs(_proved(channels, nets.drawn(channels)), model, SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet20", "resnet18", "resnet50", "resnet50-v1.5", "resnet152-v2"])
def test_sliced_is_masked_on_larger_networks_of_the_zoo(name: str) -> None:
    channels = nets.mapped(nets.alive(zoo.build(name, SMALL, 10)), SMALL)
    _proved(channels, nets.drawn(channels))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ResNet50", "ResNet50V2", "DenseNet121", "MobileNetV3Small", "EfficientNetB0", "NASNetMobile"]
)
def test_sliced_is_masked_on_keras_applications(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=SMALL, classes=10)
    channels = nets.mapped(nets.alive(model), SMALL)
    _proved(channels, nets.drawn(channels))


@pytest.mark.slow
def test_sliced_is_masked_on_a_transfer_model() -> None:
    trunk = keras.applications.ResNet50(include_top=False, weights=None)
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(7, "softmax")]
    channels = nets.mapped(nets.alive(keras.Sequential([keras.Input(SMALL), trunk, *head])), SMALL)
    _proved(channels, nets.drawn(channels))


MAPS = {build.__name__: nets.mapped(build()) for build in (nets.residual, nets.preactivated, nets.plain)}


@settings(max_examples=12)
@given(st.data())
def test_sliced_is_masked_whatever_goes(data: st.DataObject) -> None:
    channels = MAPS[data.draw(st.sampled_from(sorted(MAPS)))]
    kept = {
        group.name: tuple(sorted(data.draw(st.sets(st.integers(0, group.channels - 1), min_size=1))))
        for group in channels.prunable
        if data.draw(st.booleans())
    }
    _proved(channels, Selection(kept))


def test_layers_keep_their_names_and_their_settings() -> None:
    model = nets.nested()
    channels = nets.mapped(model)
    small = sliced(channels, nets.drawn(channels))
    assert small.name == "nested"
    assert sliced(channels, Selection({}), name="other").name == "other"
    stem = small.get_layer("trunk_stem")
    assert not stem.trainable
    assert small.get_layer("head").trainable
    assert stem.filters < 8


def test_a_sliced_model_can_be_saved_and_pruned_again(tmp_path: Path) -> None:
    channels = nets.mapped(nets.residual())
    small = sliced(channels, nets.drawn(channels))
    small.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras", compile=False)
    np.testing.assert_array_equal(nets.outputs(again, nets.images()), nets.outputs(small, nets.images()))
    further = nets.mapped(again)
    _proved(further, nets.drawn(further, seed=3))


def test_without_a_selection_nothing_changes() -> None:
    model = nets.preactivated()
    same = _proved(nets.mapped(model), Selection({}))
    np.testing.assert_allclose(
        nets.outputs(same, nets.images()), nets.outputs(model, nets.images()), rtol=1e-5, atol=1e-6
    )
