"""Small Keras networks, each around one thing that residual networks are made of.

Every network takes (H, W, C) float32 and gives (N, classes); the weights are seeded and leave
no layer an identity, and the images reach below zero, so that a wrong layout, a wrong padding
or a lost activation shows in the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

Net = Callable[[], keras.Model]
CLASSES = 5


def images(model: keras.Model, n: int = 24, seed: int = 7) -> NDArray[np.float32]:
    """Seeded images for `model`, each of its own contrast, between -1 and 1."""
    random = np.random.default_rng(seed)
    shape = (n, *model.input_shape[1:])
    noise = random.uniform(-1, 1, shape) * random.uniform(0.3, 1, (n, 1, 1, 1))
    return noise.astype(np.float32)


def randomized(model: keras.Model) -> keras.Model:
    """`model` with seeded weights, batch normalization statistics included."""
    random = np.random.default_rng(3)
    for weight in model.weights:
        if "seed_generator" in weight.path:
            continue
        shape = tuple(weight.shape)
        if "variance" in weight.path:
            values = random.uniform(0.5, 2, shape)
        elif "gamma" in weight.path:
            values = random.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:  # keeps the size of the activations from layer to layer
            values = random.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape)
        else:
            values = random.normal(0, 0.3, shape)
        weight.assign(values)
    return model


def conv(x: Any, filters: int, kernel: int | tuple[int, int] = 3, **options: Any) -> Any:
    return layers.Conv2D(filters, kernel, **{"padding": "same", **options})(x)


def conv_bn(x: Any, filters: int, kernel: int = 3, activation: str | None = "relu", **options: Any) -> Any:
    x = layers.BatchNormalization()(conv(x, filters, kernel, use_bias=False, **options))
    return layers.Activation(activation)(x) if activation else x


def classifier(body: Callable[[Any], Any], shape: tuple[int, int, int] = (13, 11, 3)) -> keras.Model:
    """`body`, then the mean over the image and a dense layer; odd and unequal sides."""
    image = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()(body(image))
    return randomized(keras.Model(image, layers.Dense(CLASSES)(x)))


def residual_v1() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv_bn(x, 8)
        y = conv_bn(conv_bn(x, 8), 8, activation=None)
        x = layers.ReLU()(layers.Add()([x, y]))
        y = conv_bn(conv_bn(x, 12, strides=2), 12, activation=None)
        return layers.ReLU()(layers.Add()([conv_bn(x, 12, 1, None, strides=2), y]))

    return classifier(body)


def preactivation_v2() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv(x, 8)
        y = layers.ReLU()(layers.BatchNormalization()(x))
        y = conv(conv_bn(y, 8), 8)
        x = layers.Add()([x, y])
        return layers.ReLU()(layers.BatchNormalization()(x))

    return classifier(body)


def bottleneck() -> keras.Model:
    def body(x: Any) -> Any:
        x = layers.ZeroPadding2D(3)(x)
        x = conv_bn(x, 8, 7, strides=2, padding="valid")
        x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
        y = conv_bn(conv_bn(x, 4, 1), 4, 3, strides=2)
        y = conv_bn(y, 16, 1, None)
        return layers.ReLU()(layers.Add()([conv_bn(x, 16, 1, None, strides=2), y]))

    return classifier(body, (33, 29, 3))


def resnet_v1() -> keras.Model:
    """As keras.applications' ResNets begin a stage: both branches with strides in a 1x1 convolution, on an
    image with an odd side."""

    def body(x: Any) -> Any:
        x = conv_bn(x, 8, 3, strides=1)
        y = conv_bn(conv_bn(x, 4, 1, strides=2), 4, 3)
        y = conv_bn(y, 16, 1, None)
        return layers.ReLU()(layers.Add()([conv_bn(x, 16, 1, None, strides=2), y]))

    return classifier(body, (13, 12, 3))


def mobile() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv_bn(x, 8, activation="relu6", strides=2)
        for stride in (1, 2):
            y = conv_bn(x, 16, 1, "relu6")
            y = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(y)
            y = layers.Activation("relu6")(layers.BatchNormalization()(y))
            y = conv_bn(y, 8, 1, None)
            x = layers.Add()([x, y]) if stride == 1 else y
        return x

    return classifier(body)


def squeeze_excite() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv_bn(x, 8)
        s = layers.GlobalAveragePooling2D(keepdims=True)(x)
        s = conv(conv(s, 4, 1, activation="relu"), 8, 1, activation="sigmoid")
        x = layers.Multiply()([x, s])
        s = layers.GlobalAveragePooling2D()(x)
        s = layers.Dense(8, "sigmoid")(layers.Dense(4, "relu")(s))
        return layers.Multiply()([x, layers.Reshape((1, 1, 8))(s)])

    return classifier(body)


def max_pool_below_zero() -> keras.Model:
    """Max-pooling of values that are often negative: with zeros around them where Keras puts
    zeros (ZeroPadding2D), with nothing around them under SAME."""

    def body(x: Any) -> Any:
        x = conv(x, 6) - 1.5
        return layers.Concatenate()(
            [
                layers.MaxPooling2D(3, strides=2, padding="same")(x),
                layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x)),
            ]
        )

    return classifier(body)


def padded_twice() -> keras.Model:
    """One padded tensor under a convolution, which takes the padding, and under an addition,
    which cannot."""

    def body(x: Any) -> Any:
        padded = layers.ZeroPadding2D(((2, 1), (0, 3)))(conv(x, 6))
        return layers.Add()([padded, layers.ZeroPadding2D(1)(conv(padded, 6, padding="valid"))])

    return classifier(body)


def average_pool() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv(x, 6, activation="relu")
        x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
        return layers.AveragePooling2D((2, 3), strides=1)(x)

    return classifier(body)


def activations() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv(x, 6, activation="relu6")
        x = conv(x, 6, activation="swish")
        x = conv(x, 6, activation="hard_swish")
        x = layers.LeakyReLU(negative_slope=0.2)(conv(x, 6))
        x = conv(x, 6, activation="tanh")
        x = conv(x, 6, activation="hard_sigmoid")
        return conv(x, 6, activation="elu")

    return classifier(body)


def prelu() -> keras.Model:
    return classifier(lambda x: layers.PReLU(shared_axes=(1, 2))(conv(x, 6)))


def gelu() -> keras.Model:
    return classifier(lambda x: conv(conv(x, 6, activation=keras.activations.gelu), 6))


def gelu_tanh() -> keras.Model:
    def body(x: Any) -> Any:
        return conv(keras.ops.gelu(conv(x, 6), approximate=True), 6)

    return classifier(body)


def concatenated() -> keras.Model:
    def body(x: Any) -> Any:
        a, b = conv(x, 4, activation="relu"), conv(x, 6, 1)
        x = layers.Concatenate()([a, b])
        return layers.Concatenate(axis=1)([x, 2.0 * x])

    return classifier(body)


def article() -> keras.Model:
    """Flatten: the order of the elements is that of the portable graph."""
    image = keras.Input((9, 7, 1))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(conv(image, 6, 7, strides=2, activation="relu"))
    x = layers.ReLU()(layers.Add()([x, conv(conv(x, 6, activation="relu"), 6)]))
    x = layers.Dense(12, "relu")(layers.Flatten()(x))
    return randomized(keras.Model(image, layers.Dense(CLASSES)(x)))


def probabilities() -> keras.Model:
    image = keras.Input((9, 7, 1))
    x = layers.GlobalAveragePooling2D()(conv(image, 6, activation="relu"))
    return randomized(keras.Model(image, layers.Dense(CLASSES, "softmax")(x)))


def grouped() -> keras.Model:
    """ResNeXt."""
    return classifier(lambda x: conv_bn(conv_bn(x, 8, 1), 8, groups=4))


def dilated() -> keras.Model:
    return classifier(lambda x: conv(conv(x, 6, activation="relu"), 6, dilation_rate=2))


def dilated_valid() -> keras.Model:
    return classifier(lambda x: conv(x, 6, dilation_rate=(2, 2), padding="valid"))


def even_kernels() -> keras.Model:
    """SAME padding with an odd pixel, which TensorFlow puts at the end."""

    def body(x: Any) -> Any:
        x = conv(x, 6, 4, strides=2, activation="relu")
        return layers.DepthwiseConv2D((2, 5), strides=2, padding="same")(x)

    return classifier(body)


def depth_multiplier() -> keras.Model:
    return classifier(lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(conv(x, 3)))


def separable() -> keras.Model:
    return classifier(lambda x: layers.SeparableConv2D(7, 3, padding="same", activation="relu")(x))


def global_max() -> keras.Model:
    image = keras.Input((9, 7, 3))
    x = layers.GlobalMaxPooling2D()(conv(image, 6))
    return randomized(keras.Model(image, layers.Dense(CLASSES)(x)))


def resized() -> keras.Model:
    def body(x: Any) -> Any:
        x = layers.UpSampling2D(2)(conv(x, 6, strides=2, activation="relu"))
        return conv(layers.UpSampling2D(2, interpolation="bilinear")(x), 6, strides=2)

    return classifier(body, (8, 12, 3))


def transposed() -> keras.Model:
    return classifier(lambda x: layers.Conv2DTranspose(6, 3, strides=2, padding="same")(conv(x, 6)))


def group_norm() -> keras.Model:
    """Means over other axes than height and width."""
    return classifier(lambda x: conv(layers.GroupNormalization(2)(conv(x, 6)), 6))


def layer_norm() -> keras.Model:
    return classifier(lambda x: conv(layers.LayerNormalization()(conv(x, 6)), 6))


def cropped() -> keras.Model:
    return classifier(lambda x: layers.Cropping2D(((1, 2), (0, 3)))(conv(x, 6)))


def constants() -> keras.Model:
    """Constants of every rank on an image."""

    def body(x: Any) -> Any:
        x = layers.Rescaling(0.5, -0.2)(conv(x, 6))
        x = x * np.linspace(0.5, 2, 6, dtype=np.float32)
        x = x - np.linspace(-1, 1, 11, dtype=np.float32)[:, None]
        x = layers.Normalization(mean=[0.1] * 6, variance=[0.4] * 6)(x)
        return keras.ops.maximum(conv(keras.ops.minimum(x, 1.0), 6), -0.5)

    return classifier(body)


def sigmoid_gate_per_pixel() -> keras.Model:
    """Spatial attention: one channel broadcast over all."""

    def body(x: Any) -> Any:
        x = conv(x, 6, activation="relu")
        return layers.Multiply()([x, conv(x, 1, 7, activation="sigmoid")])

    return classifier(body)


def shortcut_a() -> keras.Model:
    """He et al., option A: every second pixel, and zeros for the new channels."""

    def body(x: Any) -> Any:
        x = conv(x, 4, activation="relu")
        y = conv_bn(conv_bn(x, 8, strides=2), 8, activation=None)
        short = keras.ops.pad(x[:, ::2, ::2, :], ((0, 0), (0, 0), (0, 0), (2, 2)))
        return layers.ReLU()(layers.Add()([short, y]))

    return classifier(body)


def channel_shuffle() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv(x, 6, activation="relu")
        x = layers.Reshape((13, 11, 2, 3))(x)
        x = layers.Reshape((13, 11, 6))(layers.Permute((1, 2, 4, 3))(x))
        return conv(layers.Permute((2, 1, 3))(x), 6)

    return classifier(body)


def dense_on_image() -> keras.Model:
    def body(x: Any) -> Any:
        x = conv(x, 6, activation="relu")
        s = layers.GlobalAveragePooling2D(keepdims=True)(x)
        s = layers.Dense(6, "sigmoid")(layers.Dense(4, "relu")(s))
        return layers.Dense(7, "relu")(layers.Multiply()([x, s]))

    return classifier(body)


def dense_on_rows() -> keras.Model:
    """Not one row per image."""

    def body(x: Any) -> Any:
        x = layers.Dense(8)(layers.Reshape((13 * 11, 3))(x))
        return layers.Reshape((13, 11, 8))(x)

    return classifier(body)


def bounded() -> keras.Model:
    """Activations whose limits are not those of their grid."""

    def body(x: Any) -> Any:
        x = conv(x, 6)
        a, b = layers.ReLU()(x), layers.ReLU(max_value=6)(x * 9.0)
        return layers.Concatenate()([x, a, b, conv(x, 4, activation="relu6")])

    return classifier(body)
