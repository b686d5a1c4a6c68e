"""Small Keras models for the tests of `resnet_edge.models`, with weights that leave no layer an identity."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

SHAPE = (16, 16, 3)
CLASSES = 4

KERAS_WARNINGS = pytest.mark.filterwarnings(
    # Keras 3.15 turns variables into arrays in a way that numpy 2 deprecates; remove when it does not
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def images(shape: tuple[int, ...] = SHAPE, count: int = 3) -> NDArray[np.float32]:
    """A seeded batch."""
    return np.random.default_rng(7).random((count, *shape), np.float32)


def randomized(model: keras.Model) -> keras.Model:
    """`model` with seeded weights, batch normalization statistics included."""
    draw = np.random.default_rng(3)
    for weight in model.weights:
        if "seed_generator" not in weight.path:
            spread = draw.normal(size=tuple(weight.shape)) * 0.2
            weight.assign(np.abs(spread) + 0.5 if "variance" in weight.path else spread)
    return model


def trunk(shape: tuple[int | None, ...] = SHAPE) -> keras.Model:
    """One residual block without a head: what transfer learning builds on."""
    image = keras.Input(shape)
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False, name="stem")(image)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_bn")(x))
    y = layers.Conv2D(6, 3, padding="same", name="block")(x)
    y = layers.BatchNormalization(name="block_bn")(y)
    return keras.Model(image, layers.ReLU(name="out")(layers.Add(name="add")([x, y])), name="trunk")


def head(x: Any, classes: int = CLASSES, activation: str | None = None) -> Any:
    return layers.Dense(classes, activation, name="head")(layers.GlobalAveragePooling2D(name="pool")(x))


def classifier(
    *begin: layers.Layer,
    shape: tuple[int | None, ...] = SHAPE,
    activation: str | None = None,
    classes: int = CLASSES,
) -> keras.Model:
    """A functional classifier; `begin` are layers in front."""
    image = keras.Input(shape)
    x = image
    for layer in begin:
        x = layer(x)
    inner = trunk(shape)
    return randomized(keras.Model(image, head(inner(x), classes, activation), name="classifier"))


def flat() -> keras.Model:
    """A functional classifier that holds no other model; its MACs are FLAT_MACS."""
    image = keras.Input(SHAPE)
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.DepthwiseConv2D(3, padding="same")(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(8, 3, padding="same")(x)
    x = layers.Conv2DTranspose(4, 2, strides=2)(x)
    x = layers.Conv2D(8, 3, padding="same", groups=2)(x)
    return randomized(keras.Model(image, head(x), name="flat"))


FLAT_MACS = (
    8 * 8 * (9 * 3 * 6)  # stem
    + 8 * 8 * (9 * 6)  # depthwise
    + 8 * 8 * (9 * 6 + 6 * 8)  # separable
    + 8 * 8 * (4 * 8 * 4)  # transposed: every input position meets the whole kernel
    + 16 * 16 * (9 * 2 * 8)  # two groups of two channels
    + 8 * 4  # head
)


def transfer() -> keras.Model:
    """The usual transfer-learning shape: augmentation, scaling, a frozen trunk, a head."""
    inner = trunk()
    inner.trainable = False
    return randomized(
        keras.Sequential(
            [
                keras.Input(SHAPE),
                keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]),
                layers.Rescaling(1 / 127.5, offset=-1),
                inner,
                layers.GlobalAveragePooling2D(),
                layers.Dropout(0.3),
                layers.Dense(CLASSES, activation="softmax"),
            ],
            name="transfer",
        )
    )


def save_h5(model: keras.Model, path: Path) -> Path:
    """`model` as `.h5`, without Keras' word that the format is old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path


def outputs(model: keras.Model, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """What Keras itself gives in inference mode."""
    return np.asarray(keras.ops.convert_to_numpy(model(batch, training=False)))
