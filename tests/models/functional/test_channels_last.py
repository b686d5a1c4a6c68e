"""Networks whose channels come first, with channels last: the same answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.functional.as_functional import as_functional
from resnet_edge.models.functional.channels_last import takes_channels_first
from resnet_edge.models.witness import check_reader
from resnet_edge.workers.progress import silent
from tests.models import nets, subclassed
from tests.models.subclassed import SHAPE
from tests.models.test_opened import _opened

pytestmark = nets.KERAS_WARNINGS

FIRST: Any = {"data_format": "channels_first"}


def _randomized(model: keras.Model) -> keras.Model:
    random = np.random.default_rng(0)
    for weight in model.weights:
        low, high = (0.5, 1.5) if "variance" in weight.path else (-0.5, 0.5)
        weight.assign(random.uniform(low, high, weight.shape))
    return model


def _body(x: Any) -> Any:
    x = layers.Conv2D(6, 3, padding="same", **FIRST)(layers.Rescaling(1 / 255.0)(x))
    x = layers.PReLU(shared_axes=[2, 3])(layers.BatchNormalization(axis=1)(x))
    y = layers.SeparableConv2D(6, 3, padding="same", **FIRST)(x)
    scale = layers.Dense(6, activation="sigmoid")(layers.GlobalAveragePooling2D(**FIRST)(y))
    x = layers.Add()([x, layers.Multiply()([y, layers.Reshape((6, 1, 1))(scale)])])
    x = layers.Concatenate(axis=1)([x, layers.UpSampling2D(2, **FIRST)(layers.MaxPooling2D(2, **FIRST)(x))])
    return layers.LayerNormalization(axis=1)(layers.ZeroPadding2D(1, **FIRST)(x))


def _classifier(*, turned: bool = False, flatten: Callable[[Any], Any] = lambda x: x) -> keras.Model:
    image = keras.Input(SHAPE if turned else (3, 16, 12))
    x = flatten(_body(layers.Permute((3, 1, 2))(image) if turned else image))
    return _randomized(keras.Model(image, layers.Dense(4, activation="softmax", name="last")(x)))


def _to_dense(x: Any) -> Any:
    """The order of a Flatten, through layers that have to follow it."""
    x = layers.Dropout(0.3)(layers.BatchNormalization()(layers.Flatten()(x)))
    return layers.Dense(8, activation="relu", name="hidden")(x)


def _axes(x: Any) -> Any:
    """A layer that knows no other order."""
    return layers.Flatten()(layers.Softmax(axis=(2, 3))(x))


@pytest.mark.parametrize(
    ("model", "transposes"),
    [
        (lambda: _classifier(flatten=_to_dense), 0),
        (lambda: _classifier(flatten=layers.Flatten(**FIRST)), 0),
        (lambda: _classifier(flatten=layers.GlobalMaxPooling2D(**FIRST)), 0),
        (lambda: _classifier(flatten=_to_dense, turned=True), 0),
        (lambda: _classifier(flatten=_axes), 1),
    ],
)
def test_the_answers_are_the_same(model: Callable[[], keras.Model], transposes: int) -> None:
    original = model()
    rebuilt = as_functional(original, SHAPE, "net").model
    images = subclassed.images()
    own = images.transpose(0, 3, 1, 2) if takes_channels_first(original) else images
    expected = np.asarray(original(own, training=False))
    np.testing.assert_allclose(np.asarray(rebuilt(images, training=False)), expected, rtol=1e-4, atol=1e-6)
    assert rebuilt.input_shape == (None, *SHAPE)
    assert sum(isinstance(layer, layers.Permute) for layer in rebuilt.layers) == transposes
    assert not any(
        getattr(layer, "data_format", "") == "channels_first" for layer in rebuilt.layers if layer.weights
    )


def test_another_order_of_the_flatten_would_show() -> None:
    original = _classifier(flatten=_to_dense)
    rebuilt = as_functional(original, SHAPE, "net").model
    assert not np.array_equal(
        rebuilt.get_layer("hidden").get_weights()[0], original.get_layer("hidden").get_weights()[0]
    )


class _Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = layers.Conv2D(8, 3, **FIRST), layers.BatchNormalization(axis=1)
        self.dense = layers.Dense(4)

    def call(self, x: Any, training: bool = False) -> Any:
        x = tf.nn.relu(self.norm(self.conv(x), training=training))
        return self.dense(layers.Flatten()(tf.concat([x, x], axis=1)))


def test_a_class_of_the_users() -> None:
    opened = _opened(subclassed.built(_Subclassed, (3, 16, 12)), input_shape=SHAPE)
    assert opened.facts.input_shape == SHAPE
    assert opened.original is not None
    assert opened.facts.read_as[-1].startswith("its channels come first")
    images = subclassed.images()
    expected = np.asarray(opened.original.model(images.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(np.asarray(opened.network(images)), expected, rtol=1e-4, atol=1e-5)


class _Drawing(_Subclassed):
    def call(self, x: Any, training: bool = False) -> Any:
        return super().call(x) + tf.random.normal((4,))


def test_one_that_gives_other_answers_is_refused() -> None:
    with pytest.raises(ModelError, match="gives other answers with channels last"):
        _opened(subclassed.built(_Drawing, (3, 16, 12)), input_shape=SHAPE)


class _Turning(_Subclassed):
    def call(self, x: Any, training: bool = False) -> Any:
        return super().call(tf.transpose(x, [0, 3, 1, 2]))


def test_a_class_that_turns_images_itself() -> None:
    opened = _opened(subclassed.built(_Turning))
    assert opened.original is not None
    assert opened.facts.input_shape == SHAPE
    assert not any(isinstance(layer, layers.Permute) for layer in opened.trackable.layers)
    images = subclassed.images()
    expected = np.asarray(opened.original.model(images))
    np.testing.assert_allclose(np.asarray(opened.network(images)), expected, rtol=1e-4, atol=1e-5)


class _Hidden(_Subclassed):
    def call(self, x: Any, training: bool = False) -> Any:
        x = super().call(x)
        return x if tf.reduce_sum(x) > 0 else x * 2


def test_what_has_no_graph_is_refused_with_the_line() -> None:
    with pytest.raises(ModelError, match=r"layer conv2d\S* has channels first.*line \d+.*it branches"):
        _opened(subclassed.built(_Hidden, (3, 16, 12)), input_shape=SHAPE)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_is_held_against_keras(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"net{suffix}"
    _classifier(flatten=_to_dense).save(path)
    request = ModelRequest(str(path))
    opened = open_model(request, silent)
    check = check_reader(opened, request, 255 * subclassed.images())
    assert check.loader.startswith("Keras")
    assert check.difference <= check.allowed < 1e-3
    assert opened.facts.preprocessing.name == "model"


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_of_keras_2_is_held_against_tf_keras(tmp_path: Path) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    k = tf_keras.layers
    image = k.Input((3, 16, 12))
    x = k.BatchNormalization(axis=1)(k.Conv2D(4, 3, padding="same", data_format="channels_first")(image))
    x = k.Flatten()(k.MaxPooling2D(2, data_format="channels_first")(x))
    tf_keras.Model(image, k.Dense(5)(x)).save(tmp_path / "old.h5")
    request = ModelRequest(str(tmp_path / "old.h5"), preprocess="unit")
    opened = open_model(request, silent)
    check = check_reader(opened, request, subclassed.images())
    assert opened.facts.input_shape == SHAPE
    assert check.loader.startswith("tf_keras")
    assert check.difference <= check.allowed < 1e-3
