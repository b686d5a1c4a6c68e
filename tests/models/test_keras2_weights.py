"""Arrays of Keras 2, put into a model by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models._keras2_weights import load_weights
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
RANDOM = np.random.default_rng(1)
DEPTHWISE, GAMMA = RANDOM.normal(size=(3, 3, 3, 1)), RANDOM.normal(size=3)
OTHERS = {"beta": RANDOM.normal(size=3), "moving_mean": RANDOM.normal(size=3), "moving_variance": np.ones(3)}


@pytest.fixture
def group(tmp_path: Path) -> Iterator[h5py.Group]:
    with h5py.File(tmp_path / "net.h5", "w") as opened:
        yield opened.create_group("model_weights")


def store(group: h5py.Group, layer: str, arrays: dict[str, np.ndarray]) -> None:
    """As Keras 2 does it: the order is that of `weight_names`."""
    stored = group.create_group(layer)
    stored.attrs["weight_names"] = [name.encode() for name in arrays]
    for name, values in arrays.items():
        stored[name] = values


def model() -> keras.Model:
    """A model in a model: Keras 2 stores all of it under the name of the inner one."""
    image = keras.Input((4, 4, 3))
    x = layers.DepthwiseConv2D(3, use_bias=False, name="deep")(image)
    inner = keras.Model(image, layers.BatchNormalization(name="norm")(x), name="inner")
    outer = keras.Input((4, 4, 3))
    return keras.Model(outer, inner(outer))


def arrays() -> dict[str, np.ndarray]:
    """In no order at all: it depends on which layers were frozen."""
    named = {f"norm/{name}:0": values for name, values in OTHERS.items()}
    return named | {"deep/depthwise_kernel:0": DEPTHWISE, "norm/gamma:0": GAMMA}


def test_weights_are_found_by_their_names(group: h5py.Group) -> None:
    store(group, "inner", arrays())
    network = model()
    load_weights(network, group, "net.h5")
    inner = network.get_layer("inner")
    np.testing.assert_allclose(inner.get_layer("deep").get_weights()[0], DEPTHWISE, rtol=1e-6)
    gamma, beta, *_ = inner.get_layer("norm").get_weights()
    np.testing.assert_allclose(gamma, GAMMA, rtol=1e-6)
    np.testing.assert_allclose(beta, OTHERS["beta"], rtol=1e-6)


def test_a_name_without_its_layer_means_the_weight_that_no_other_means(group: h5py.Group) -> None:
    held = arrays()
    held["gamma:0"] = held.pop("norm/gamma:0")
    store(group, "inner", held)
    network = model()
    load_weights(network, group, "net.h5")
    np.testing.assert_allclose(
        network.get_layer("inner").get_layer("norm").get_weights()[0], GAMMA, rtol=1e-6
    )


def test_weights_that_are_not_there_are_counted(group: h5py.Group) -> None:
    held = arrays()
    del held["norm/beta:0"], held["norm/gamma:0"]
    store(group, "inner", held)
    with pytest.raises(ModelError, match="net.h5 lacks 2 of the weights of its model"):
        load_weights(model(), group, "net.h5")


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("norm/gamma:0", np.ones(4), r"has shape \(4,\), and the layer has shape \(3,\)"),
        ("deep/bias:0", np.ones(3), r"has shape \(3,\), and the layer has no such weight"),
    ],
)
def test_arrays_that_fit_no_weight_are_named(
    group: h5py.Group, name: str, values: np.ndarray, says: str
) -> None:
    store(group, "inner", arrays() | {name: values})
    with pytest.raises(ModelError, match=f"net.h5: inner/{name} {says}"):
        load_weights(model(), group, "net.h5")
