"""Tests of what all kinds share: the checks, the output kind, the preprocessing, the MACs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.models import ModelRequest, OpenedModel
from resnet_edge.models._opened import Origin, opened
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _opened(model: keras.Model, **options: Any) -> OpenedModel:
    return opened(model, ModelRequest("net.keras", **{"preprocess": "unit", **options}), Origin(name="net"))


def _dense(classes: int, activation: str | None = None) -> keras.Model:
    return nets.classifier(classes=classes, activation=activation)


def _two_inputs() -> keras.Model:
    a, b = keras.Input(nets.SHAPE), keras.Input(nets.SHAPE)
    return keras.Model([a, b], nets.head(layers.Add()([a, b])))


def _two_outputs() -> keras.Model:
    image = keras.Input(nets.SHAPE)
    return keras.Model(image, [nets.head(image), layers.Flatten()(image)])


def _text() -> keras.Model:
    words = keras.Input((20,))
    return keras.Model(words, layers.Dense(3)(words))


def _with(value: float) -> keras.Model:
    model = nets.classifier()
    kernel = model.get_layer("trunk").get_layer("block").kernel
    values = np.array(keras.ops.convert_to_numpy(kernel))
    values[1, 1, 2, 3] = value
    kernel.assign(values)
    return model


def _negative_variance() -> keras.Model:
    model = nets.classifier()
    bn = model.get_layer("trunk").get_layer("stem_bn")
    bn.moving_variance.assign(-np.ones(6, np.float32))
    return model


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (_two_inputs, "has 2 inputs"),
        (_two_outputs, "has 2 outputs"),
        (_text, r"takes \(None, 20\), not a batch of images"),
        (nets.trunk, "not one score per class"),
        (lambda: _dense(1, "softmax"), "a softmax over one number, which is 1 for every image"),
        (lambda: _dense(1, "tanh"), r"through tanh, .*Dense\(1, activation='sigmoid'\)"),
        (lambda: _with(float("nan")), r"1 of \d+ weights hold .* first block/kernel \(1 of "),
        (lambda: _with(float("inf")), r"1 of \d+ weights hold .* first block/kernel \(1 of "),
        (
            _negative_variance,
            r"random image .*'.*stem_bn' .*moving_variance is from -1 to -1: correct that layer",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1:UserWarning")
def test_what_is_no_classifier_is_refused(build: Callable[[], keras.Model], says: str) -> None:
    with pytest.raises(ModelError, match=says) as raised:
        _opened(build())
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "build",
    [
        nets.classifier,
        lambda: nets.classifier(layers.RandomFlip()),
        lambda: nets.classifier(layers.Resizing(16, 16)),
    ],
)
def test_a_model_that_does_not_say_what_it_takes_needs_an_option(build: Callable[[], keras.Model]) -> None:
    with pytest.raises(UsageError, match="does not say what pixels .* add --preprocess unit"):
        _opened(build(), preprocess=None)


def test_the_option_wins_over_the_model() -> None:
    chosen = _opened(nets.classifier(layers.Rescaling(1 / 255)), preprocess="none").facts.preprocessing
    assert (chosen.name, chosen.where) == ("none", "caller")


def test_preprocessing_for_three_channels_is_refused_for_one() -> None:
    for name in ("caffe", "imagenet"):
        with pytest.raises(UsageError, match="is for 3 channels, and net.keras takes 1"):
            _opened(nets.classifier(shape=(16, 16, 1)), preprocess=name)


def test_an_image_that_is_too_small_is_refused() -> None:
    image = keras.Input((None, None, 3))
    model = keras.Model(image, nets.head(layers.Conv2D(4, 7)(layers.Conv2D(4, 7)(image))))
    with pytest.raises(ModelError, match="does not run on an image of 8,8,3"):
        _opened(model, input_shape=(8, 8, 3))


def test_the_network_is_float32_whatever_the_model_computes_in() -> None:
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, layers.Dense(4, dtype="bfloat16")(layers.Flatten()(image)))
    assert _opened(model).network(nets.images()).dtype == "float32"


def test_an_output_in_a_list_is_unwrapped() -> None:
    image = keras.Input(nets.SHAPE)
    model = keras.Model([image], [nets.head(nets.trunk()(image))])
    batch = nets.images()
    np.testing.assert_array_equal(
        _opened(model).network(batch), keras.tree.flatten(model([batch], training=False))[0]
    )


def test_equal_weights_have_equal_checksums() -> None:
    first, again = nets.classifier(), nets.classifier()
    assert _opened(first).facts.sha256 == _opened(again).facts.sha256
    again.get_layer("head").bias.assign(np.ones(4, np.float32))
    assert _opened(first).facts.sha256 != _opened(again).facts.sha256
