"""Small networks for the tests of `compression.pruning`, one for each way in which channels meet."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer
from numpy.typing import NDArray

from resnet_edge.compression.pruning import Selection
from resnet_edge.compression.pruning.groups import ChannelMap, channel_map
from resnet_edge.models.functional.flat import flat_graph

SHAPE = (12, 12, 3)
CLASSES = 5


def alive(model: keras.Model, seed: int = 0) -> keras.Model:
    """`model` with seeded biases, slopes and batch normalization values: none is 0 or 1, so that a
    channel that was forgotten shows."""
    draw = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name in ("gamma", "moving_variance", "alpha"):
            weight.assign(draw.uniform(0.5, 1.0, tuple(weight.shape)))
        elif weight.name in ("beta", "bias", "moving_mean"):
            weight.assign(draw.normal(0, 0.3, tuple(weight.shape)))
    return model


def conv(x: Any, filters: int, name: str, **options: Any) -> Any:
    return layers.Conv2D(filters, 3, padding="same", name=name, **options)(x)


def norm_relu(x: Any, name: str) -> Any:
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_bn")(x))


def head(x: Any) -> Any:
    return layers.Dense(CLASSES, name="head")(layers.GlobalAveragePooling2D(name="pool")(x))


def finished(image: Any, x: Any, name: str) -> keras.Model:
    return alive(keras.Model(image, head(x), name=name))


def residual() -> keras.Model:
    """Batch normalization behind the convolutions, an identity shortcut and a projection."""
    image = keras.Input(SHAPE)
    x = norm_relu(conv(image, 8, "stem", use_bias=False), "stem")
    y = norm_relu(conv(x, 6, "a1"), "a1")
    y = layers.BatchNormalization(name="a2_bn")(conv(y, 8, "a2"))
    x = layers.ReLU(name="a")(layers.Add(name="a_add")([x, y]))
    y = norm_relu(conv(x, 10, "b1", strides=2), "b1")
    y = layers.BatchNormalization(name="b2_bn")(conv(y, 12, "b2"))
    x = layers.Conv2D(12, 1, strides=2, name="shortcut")(x)
    return finished(image, layers.Add(name="b_add")([x, y]), "residual")


def preactivated() -> keras.Model:
    """Batch normalizations that stand alone on the residual stream."""
    image = keras.Input(SHAPE)
    x = layers.MaxPooling2D(3, 2, padding="same", name="max")(conv(image, 8, "stem"))
    for block in "ab":
        y = norm_relu(x, f"{block}_pre")
        y = conv(norm_relu(conv(y, 6, f"{block}1", use_bias=False), block), 8, f"{block}2")
        x = layers.Add(name=f"{block}_add")([x, y])
    return finished(image, norm_relu(x, "final"), "preactivated")


def plain() -> keras.Model:
    """No batch normalization; a Flatten, and layers that carry channels."""
    image = keras.Input(SHAPE)
    x = layers.Rescaling(1 / 255, name="rescale")(image)
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(conv(x, 8, "first", strides=2))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")(x)
    x = layers.SeparableConv2D(7, 3, activation="silu", name="separable")(layers.ZeroPadding2D(name="pad")(x))
    x = layers.AveragePooling2D(2, name="average")(x)
    x = layers.BatchNormalization(name="flat_bn")(layers.Flatten(name="flatten")(x))
    x = layers.Dropout(0.5, name="dropout")(layers.Dense(9, activation="relu", name="dense")(x))
    return alive(keras.Model(image, layers.Dense(CLASSES, "softmax", name="head")(x), name="plain"))


def operators() -> keras.Model:
    """The same with `+`, `/` and keras.ops instead of layers."""
    image = keras.Input(SHAPE)
    x = keras.ops.relu(conv(image / 255.0, 8, "stem"))
    x = keras.ops.relu(x + conv(x, 8, "block") * 0.5)
    x = keras.ops.mean(x, axis=(1, 2))
    return alive(keras.Model(image, layers.Dense(CLASSES, name="head")(x), name="operators"))


def dense() -> keras.Model:
    """Every block reads what all blocks before it have made, through a batch normalization of its own."""
    image = keras.Input(SHAPE)
    x = conv(image, 8, "stem")
    for block in "ab":
        y = conv(norm_relu(x, f"{block}_pre"), 5, block)
        x = layers.Concatenate(name=f"{block}_concat")([x, y])
    return finished(image, conv(layers.AveragePooling2D(2, name="half")(x), 6, "last"), "dense")


def inception() -> keras.Model:
    """Branches of different kernels, concatenated, and a layer that is added to all of them."""
    image = keras.Input(SHAPE)
    x = conv(image, 8, "stem", activation="relu")
    one, three = layers.Conv2D(6, 1, name="one")(x), conv(x, 9, "three", activation="relu")
    x = layers.Concatenate(name="mixed")([one, three])
    up = conv(conv(x, 4, "squeeze"), 15, "up") * 0.2
    x = layers.Add(name="add")([x, up])
    x = CustomScaleLayer(0.3, name="scaled")([x, conv(conv(x, 5, "again"), 15, "up_again")])
    x = layers.BatchNormalization(scale=False, name="bn")(x)
    return finished(image, conv(layers.ReLU(name="relu")(x), 7, "last"), "inception")


def squeezed() -> keras.Model:
    """An inverted residual with squeeze and excitation, and a hard swish made of operators."""
    image = keras.Input(SHAPE)
    x = norm_relu(conv(image, 8, "stem"), "stem")
    y = layers.BatchNormalization(name="expand_bn")(layers.Conv2D(12, 1, name="expand")(x))
    y = y * keras.ops.relu6(y + 3.0) / 6.0
    y = norm_relu(layers.DepthwiseConv2D(3, padding="same", name="deep")(y), "deep")
    s = layers.Reshape((1, 1, 12), name="reshape")(layers.GlobalAveragePooling2D(name="squeeze")(y))
    s = layers.Conv2D(5, 1, activation="relu", name="reduce")(s)
    s = layers.Conv2D(12, 1, activation="sigmoid", name="excite")(s)
    y = layers.Conv2D(8, 1, name="project")(layers.Multiply(name="gate")([y, s]))
    return finished(image, layers.Add(name="add")([x, y]), "squeezed")


def grouped() -> keras.Model:
    """ConvNeXt's block without its normalization: a group for each channel, and a wide dense layer."""
    image = keras.Input(SHAPE)
    x = conv(image, 8, "stem")
    y = layers.Conv2D(8, 5, padding="same", groups=8, name="deep")(x)
    y = layers.Dense(8, name="narrow")(layers.Dense(20, activation="gelu", name="wide")(y))
    x = layers.Add(name="add")([x, y])
    return finished(image, layers.Concatenate(axis=1, name="below")([x, x]), "grouped")


def nested() -> keras.Model:
    """Transfer learning: a frozen trunk for images of any size inside a Sequential."""
    image = keras.Input((None, None, 3))
    x = norm_relu(conv(image, 8, "stem"), "stem")
    x = layers.Add(name="add")([x, norm_relu(conv(x, 8, "block"), "block")])
    trunk = keras.Model(image, x, name="trunk")
    trunk.trainable = False
    pool, dense = layers.GlobalMaxPooling2D(name="pool"), layers.Dense(CLASSES, name="head")
    return alive(
        keras.Sequential(
            [keras.Input(SHAPE), layers.RandomFlip(name="flip"), trunk, pool, dense], name="nested"
        )
    )


NETWORKS = [residual, preactivated, plain, operators, dense, inception, squeezed, grouped, nested]


def mapped(model: keras.Model, shape: tuple[int, int, int] = SHAPE) -> ChannelMap:
    return channel_map(flat_graph(model, shape))


def drawn(channels: ChannelMap, seed: int = 0) -> Selection:
    """About half of the channels of every group, at random."""
    draw = np.random.default_rng(seed)
    kept = {}
    for group in channels.prunable:
        stay = np.flatnonzero(draw.random(group.channels) < 0.5)
        kept[group.name] = tuple(map(int, stay)) or (0,)
    return Selection(kept)


def images(shape: tuple[int, ...] = SHAPE, count: int = 2) -> NDArray[np.float32]:
    return np.random.default_rng(5).random((count, *shape), np.float32)


def outputs(model: keras.Model, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(keras.ops.convert_to_numpy(model(batch, training=False)))
