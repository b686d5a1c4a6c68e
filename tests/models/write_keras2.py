"""Run as a script, in a process of its own: writes Keras 2 files with tf_keras, and what they give.

Usage: write_keras2.py FOLDER. For every network `<name>.h5` and `<name>.npz` (x, y).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tf_keras as keras
from tf_keras import layers

SHAPE = (16, 16, 3)


def trunk() -> Any:
    image = layers.Input(SHAPE)
    x = layers.ZeroPadding2D(1)(image)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="c1")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="b1")(x))
    y = layers.Conv2D(8, 3, padding="same", name="c2", kernel_regularizer="l2")(x)
    y = layers.BatchNormalization(name="b2")(y)
    x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.DepthwiseConv2D(3, padding="same", name="dw")(x)
    x = layers.SeparableConv2D(8, 3, name="sep")(x)
    return keras.Model(image, x, name="trunk")


def head(x: Any, activation: str | None = None) -> Any:
    return layers.Dense(5, activation=activation)(layers.GlobalAveragePooling2D()(x))


def functional() -> Any:
    inner = trunk()
    return keras.Model(inner.input, head(inner.output, "softmax"))


def sequential() -> Any:
    return keras.Sequential([trunk(), layers.GlobalAveragePooling2D(), layers.Dense(5)])


def frozen() -> Any:
    """Transfer learning with a frozen trunk: its arrays are stored in another order."""
    inner = trunk()
    inner.trainable = False
    begin = [layers.Rescaling(1 / 255, input_shape=SHAPE), layers.RandomFlip("horizontal")]
    end = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(5, activation="softmax")]
    return keras.Sequential([*begin, inner, *end])


def partly_frozen() -> Any:
    inner = trunk()
    for layer in inner.layers[:4]:
        layer.trainable = False
    image = layers.Input(SHAPE)
    x = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])(image)
    x = inner(layers.Rescaling(1 / 127.5, offset=-1)(x), training=False)
    return keras.Model(image, head(x))


def twice() -> Any:
    """One trunk, called on two views of the image."""
    inner = trunk()
    image = layers.Input(SHAPE)
    both = layers.Concatenate()([inner(image), inner(layers.Rescaling(-1.0, 1.0)(image))])
    return keras.Model(image, head(both))


def divided() -> Any:
    """preprocess_input of MobileNetV2 leaves two TensorFlow functions in the graph."""
    image = layers.Input(SHAPE)
    x = keras.applications.mobilenet_v2.preprocess_input(image)
    return keras.Model(image, head(trunk()(x)))


def caffe() -> Any:
    """preprocess_input of ResNet50: channels reversed, means subtracted."""
    image = layers.Input(SHAPE)
    x = keras.applications.resnet50.preprocess_input(image)
    return keras.Model(image, head(trunk()(x)))


def operators() -> Any:
    """A residual block written with + and tf.nn.relu."""
    import tensorflow as tf

    image = layers.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same")(image * 2.0)
    x = tf.nn.relu(x + layers.Conv2D(4, 3, padding="same")(x))
    return keras.Model(image, head(x))


def slashes() -> Any:
    """Names as DenseNet has them, beside ones that they must not be taken for, at the top and nested."""
    image = layers.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same", name="conv1/conv")(image)
    x = layers.BatchNormalization(name="conv1/bn")(x)
    x = layers.Conv2D(4, 3, padding="same", name="conv1_conv")(x)
    x = layers.Conv2D(4, 3, padding="same", name="conv")(layers.ReLU(name="conv1/relu")(x))
    inner = keras.Model(image, x, name="trunk")
    again = layers.Conv2D(4, 3, padding="same", name="block2/conv")(inner(image))
    return keras.Model(image, head(again), name="dense")


def nested_sequential() -> Any:
    """As Teachable Machine saves: a functional base in a Sequential in a Sequential, compiled inside."""
    inner = keras.Sequential([trunk(), layers.GlobalAveragePooling2D()])
    inner.compile("adam", "mse")
    return keras.Sequential([layers.Input(SHAPE), layers.Rescaling(1 / 255), inner, layers.Dense(5)])


def unknown_function() -> Any:
    import tensorflow as tf

    image = layers.Input(SHAPE)
    return keras.Model(image, head(tf.math.sin(image)))


def with_lambda() -> Any:
    image = layers.Input(SHAPE)
    return keras.Model(image, head(layers.Lambda(lambda x: x / 255, name="scale")(image)))


def mixed_bfloat16() -> Any:
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    inner = trunk()
    return keras.Model(inner.input, layers.Activation("softmax", dtype="float32")(head(inner.output)))


def mixed_float16() -> Any:
    keras.mixed_precision.set_global_policy("mixed_float16")
    inner = trunk()
    return keras.Model(inner.input, layers.Activation("softmax", dtype="float32")(head(inner.output)))


NETWORKS: list[Callable[[], Any]] = [
    functional,
    sequential,
    frozen,
    partly_frozen,
    twice,
    divided,
    caffe,
    operators,
    slashes,
    nested_sequential,
    unknown_function,
    with_lambda,
    mixed_bfloat16,  # last: these change the policy
    mixed_float16,
]


def main(folder: Path) -> None:
    draw = np.random.default_rng(0)
    for network in NETWORKS:
        model = network()
        shapes = [weight.shape for weight in model.get_weights()]
        # positive throughout, so that a variance is one; different everywhere, so that a swap shows
        model.set_weights([draw.uniform(0.05, 0.4, shape).astype(np.float32) for shape in shapes])
        model.compile("adam", "sparse_categorical_crossentropy")
        x = draw.random((3, *SHAPE)).astype(np.float32)
        model.save(folder / f"{network.__name__}.h5")
        np.savez(folder / f"{network.__name__}.npz", x=x, y=model(x, training=False).numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
