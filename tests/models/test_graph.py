"""What the graph of a model says."""

from __future__ import annotations

from collections.abc import Callable

import keras
import pytest
from keras import layers

from tests.models import nets
from tests.models.test_opened import _opened

pytestmark = nets.KERAS_WARNINGS


def _divided() -> keras.Model:
    image = keras.Input(nets.SHAPE)
    return keras.Model(image, nets.head(nets.trunk()(image / 127.5 - 1)))


def _prepared() -> keras.Model:
    """Cast, resized, cropped, its colours turned, and then scaled."""
    image = keras.Input((24, 24, 3))
    x = keras.ops.image.resize(keras.ops.cast(image, "float16"), (20, 20))
    x = keras.ops.cast(x, "float32")[:, 2:-2, 2:-2, ::-1]
    return keras.Model(image, nets.head(nets.trunk()(x / 255.0)))


def _cropped() -> keras.Model:
    image = keras.Input(nets.SHAPE)
    return keras.Model(image, layers.ZeroPadding2D(1)(layers.Cropping2D(1)(image)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: nets.classifier(layers.Rescaling(1 / 255)),
        lambda: nets.classifier(layers.RandomFlip(), layers.RandomZoom(0.1), layers.Rescaling(1 / 255)),
        lambda: nets.classifier(layers.RandomFlip(), layers.Resizing(16, 16), layers.Rescaling(1 / 255)),
        lambda: nets.classifier(layers.CenterCrop(16, 16), layers.Rescaling(1 / 255)),
        lambda: nets.classifier(layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 1.0, 2.0])),
        lambda: nets.classifier(keras.Sequential([layers.RandomFlip(), layers.Rescaling(2.0)])),
        lambda: keras.Sequential([nets.classifier(layers.Rescaling(1 / 255)), layers.Softmax()]),
        nets.transfer,
        _divided,
        _prepared,
        lambda: nets.classifier(layers.Pipeline([layers.RandomFlip(), layers.Rescaling(1 / 255)])),
        lambda: nets.classifier(keras.Sequential([_cropped(), layers.Rescaling(1 / 255)])),
    ],
)
def test_a_model_that_scales_its_input_takes_pixels(build: Callable[[], keras.Model]) -> None:
    assert _opened(build(), preprocess=None).facts.preprocessing.name == "model"
