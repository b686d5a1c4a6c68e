"""Small networks of the kinds that people bring, each for one thing that a check of layers can misread.

A network takes images of 64 pixels (28 of Fashion-MNIST for the article's) and has six classes (ten).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .images import CLASSES

SIZE = 64


@dataclass(frozen=True, kw_only=True)
class Network:
    """`build` makes the Keras model; `prepare` is what it wants of raw pixels, by convert's name for it
    (`model`: nothing, it prepares them itself); `steps` of training with 32 images; `probe`: the last layer
    is then solved for, as a network that learned little needs."""

    name: str
    build: Callable[[], Any]
    size: int = SIZE
    images: str = "figures"
    prepare: str = "model"
    steps: int = 110
    probe: bool = False
    seed: int = 1
    proof: int = 300
    """Images that files are judged by."""
    training: int = 1600
    """Images that it is trained with, or that its batch statistics and its last layer are made of."""
    jitter: float = 0
    """Of the colours of the images: with it answers are less sure."""
    given: str = ""
    """A model that is made already: its file without the suffix."""


def norm() -> Any:
    import keras

    return keras.layers.BatchNormalization(momentum=0.9)


def head(x: Any, *, logits: bool = False) -> Any:
    from keras import layers

    return layers.Dense(CLASSES, activation=None if logits else "softmax")(layers.GlobalAveragePooling2D()(x))


def model(body: Callable[[Any], Any], *, first: str = "unit", size: int = SIZE, logits: bool = False) -> Any:
    """A functional model of a body on pixels that a Rescaling prepares (`first`: unit, symmetric, none)."""
    import keras

    image = keras.Input((size, size, 3))
    scales = {"unit": (1 / 255, 0.0), "symmetric": (1 / 127.5, -1.0)}
    x = keras.layers.Rescaling(*scales[first])(image) if first in scales else image
    return keras.Model(image, head(body(x), logits=logits))


def conv(x: Any, filters: int, kernel: int = 3, stride: int = 1, act: str | None = "relu") -> Any:
    """Convolution, batch normalization, activation."""
    from keras import layers

    x = norm()(layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x))
    return layers.Activation(act)(x) if act else x


def residual(x: Any, filters: int, stride: int = 1) -> Any:
    from keras import layers

    y = conv(conv(x, filters, stride=stride), filters, act=None)
    if stride != 1 or x.shape[-1] != filters:
        x = conv(x, filters, 1, stride, act=None)
    return layers.ReLU()(layers.Add()([x, y]))


def beginner() -> Any:
    """Conv2D with its ReLU, then batch normalization, then pooling."""
    import keras
    from keras import layers

    parts: list[Any] = [layers.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255)]
    for filters in (16, 24, 32):
        parts += [layers.Conv2D(filters, 3, padding="same", activation="relu"), norm(), layers.MaxPooling2D()]
    parts += [layers.GlobalAveragePooling2D(), layers.Dense(32, activation="relu"), norm()]
    return keras.Sequential([*parts, layers.Dropout(0.3), layers.Dense(CLASSES, activation="softmax")])


def resnet() -> Any:
    return model(
        lambda x: residual(residual(conv(x, 16, stride=2), 16), 32, 2), first="symmetric", logits=True
    )


def bottlenecks() -> Any:
    """As keras.applications writes a ResNet: biases, ZeroPadding2D, a stride in the 1x1."""
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3))
    x = layers.ReLU()(norm()(layers.Conv2D(16, 7, 2)(layers.ZeroPadding2D(3)(image))))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for number, filters in enumerate((32, 48)):
        short, stride = norm()(layers.Conv2D(filters, 1, number + 1)(x)), number + 1
        x = layers.ReLU()(norm()(layers.Conv2D(filters // 2, 1, stride)(x)))
        x = layers.ReLU()(norm()(layers.Conv2D(filters // 2, 3, padding="same")(x)))
        x = layers.ReLU()(layers.Add()([norm()(layers.Conv2D(filters, 1)(x)), short]))
    return keras.Model(image, head(x))


def prepared_outside() -> Any:
    return model(lambda x: residual(conv(conv(x, 12), 24, stride=2), 32, 2), first="none")


def article() -> Any:
    """The article's network: biases everywhere and no batch normalization."""
    import keras
    from keras import layers

    image = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D(3, 2)(layers.Conv2D(32, 7, 2, padding="same")(image))
    for _ in range(3):
        y = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, layers.Conv2D(32, 3, padding="same")(y)])
    return keras.Model(image, layers.Dense(10)(layers.Dense(128, activation="relu")(layers.Flatten()(x))))


def prelu() -> Any:
    from keras import layers

    def body(x: Any) -> Any:
        for filters in (12, 24, 32):
            x = conv(x, filters, stride=2, act=None)
            x = layers.PReLU(alpha_initializer="glorot_uniform", shared_axes=[1, 2])(x)
        return x

    return model(body)


def squeeze(x: Any, gate: str, act: str) -> Any:
    """Squeeze and excitation with 1x1 convolutions, as MobileNetV3 and EfficientNet have it."""
    from keras import layers

    filters = x.shape[-1]
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(max(4, filters // 4), 1, activation=act)(s)
    return layers.Multiply()([x, layers.Conv2D(filters, 1, activation=gate)(s)])


def inverted(act: str, gate: str) -> Callable[[Any], Any]:
    """Inverted residuals with an activation and a gate."""

    def body(x: Any) -> Any:
        from keras import layers

        x = conv(x, 16, stride=2, act=act)
        for filters, stride in ((16, 1), (24, 2), (24, 1), (32, 2)):
            y = conv(x, filters * 3, 1, act=act)
            y = norm()(layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(y))
            y = squeeze(layers.Activation(act)(y), gate, "relu")
            y = conv(y, filters, 1, act=None)
            x = layers.Add()([x, y]) if x.shape == y.shape else y
        return conv(x, 48, 1, act=act)

    return body


def hard_swish() -> Any:
    return model(inverted("hard_silu", "hard_sigmoid"), first="symmetric")


def swish() -> Any:
    return model(inverted("silu", "sigmoid"))


def upsampling() -> Any:
    """Bilinear upsampling, a concatenation, padded average pooling and a Flatten."""
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3))
    x = conv(layers.Rescaling(1 / 127.5, -1)(image), 12, stride=2, act="relu6")
    y = layers.UpSampling2D(2, interpolation="bilinear")(conv(x, 16, stride=2))
    x = conv(layers.Concatenate()([x, y]), 24, stride=2)
    x = layers.AveragePooling2D(3, 2, padding="same")(x)
    y = layers.UpSampling2D(2)(layers.MaxPooling2D(2)(x))
    x = layers.AveragePooling2D(4)(conv(layers.Add()([x, y]), 24))
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(layers.Flatten()(x)))


def group_norm() -> Any:
    from keras import layers

    def body(x: Any) -> Any:
        for filters in (16, 32, 32):
            x = layers.Conv2D(filters, 3, 2, padding="same", use_bias=False)(x)
            x = layers.Activation("relu")(layers.GroupNormalization(4)(x))
        return x

    return model(body)


def layer_norm() -> Any:
    """ConvNeXt's block: depthwise 7x7, layer normalization, two dense layers with a GELU between them."""
    from keras import layers

    def body(x: Any) -> Any:
        x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(24, 4, 4)(x))
        for _ in range(2):
            y = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(7, padding="same")(x))
            x = layers.Add()([x, layers.Dense(24)(layers.Dense(72, activation="gelu")(y))])
        return layers.LayerNormalization(epsilon=1e-6)(x)

    return model(body, first="symmetric")


def transposed() -> Any:
    """Down and up again by transposed convolutions, with the skips of a U-Net."""
    from keras import layers

    def body(x: Any) -> Any:
        a = conv(x, 12, stride=2)
        b = conv(a, 24, stride=2)
        up = layers.ReLU()(norm()(layers.Conv2DTranspose(12, 3, 2, padding="same")(b)))
        up = layers.Conv2DTranspose(12, 2, 1, padding="same", activation="relu")(up)
        return conv(layers.Concatenate()([a, up]), 24, stride=2)

    return model(body)


def nested() -> Any:
    """A model as a layer of a Sequential, as transfer learning has it."""
    import keras
    from keras import layers

    inner = keras.Input((SIZE, SIZE, 3))
    base = keras.Model(inner, residual(conv(inner, 16, stride=2), 32, 2), name="base")
    top = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(24, activation="relu")])
    last = layers.Dense(CLASSES, activation="softmax")
    return keras.Sequential([layers.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255), base, top, last])


def scaled_behind() -> Any:
    """Scales and batch normalizations behind a ReLU, a hard sigmoid and an addition."""
    from keras import layers

    def body(x: Any) -> Any:
        x = norm()(layers.Conv2D(16, 3, 2, activation="relu", padding="same")(x))
        x = layers.Rescaling(0.5, 0.1)(layers.Conv2D(24, 3, 2, activation="relu")(x))
        y = norm()(layers.Conv2D(24, 3, padding="same", activation="hard_sigmoid")(x))
        return layers.LeakyReLU(0.1)(norm()(layers.Add()([x, y])))

    return model(body, logits=True)


def pools() -> Any:
    """Padded and unpadded pooling of both kinds, leaky ReLUs and an ELU."""
    from keras import layers

    def body(x: Any) -> Any:
        x = layers.LeakyReLU(0.2)(conv(x, 16, stride=2, act=None))
        x = layers.AveragePooling2D(3, 2, padding="same")(x)
        x = layers.MaxPooling2D(3, 1, padding="same")(conv(x, 24, act="elu"))
        return layers.AveragePooling2D(2)(conv(x, 32, act="relu6"))

    return model(body, first="symmetric")


def shared() -> Any:
    """One convolution used twice, and one batch normalization for both."""
    from keras import layers

    def body(x: Any) -> Any:
        x = conv(x, 24, stride=2)
        again, bn = layers.Conv2D(24, 3, padding="same", use_bias=False), norm()
        x = layers.ReLU()(bn(again(x)))
        x = layers.MaxPooling2D(2)(x)
        return conv(layers.ReLU()(bn(again(x))), 32, stride=2)

    return model(body)


def paddings() -> Any:
    """Padding written out: as much as needed, more than is read, and on one side."""
    from keras import layers

    def body(x: Any) -> Any:
        x = layers.ReLU()(norm()(layers.Conv2D(16, 7, 2, use_bias=False)(layers.ZeroPadding2D(3)(x))))
        x = layers.ReLU()(layers.Conv2D(24, 3, 2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x)))
        x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
        return layers.ReLU()(layers.Conv2D(32, 3)(layers.ZeroPadding2D(((1, 2), (2, 1)))(x)))

    return model(body, logits=True)


def biased() -> Any:
    """A bias before each batch normalization."""
    from keras import layers

    def body(x: Any) -> Any:
        for filters, stride in ((16, 2), (24, 2), (32, 1)):
            x = layers.ReLU()(norm()(layers.Conv2D(filters, 3, stride, padding="same")(x)))
        return x

    return model(body, logits=True)


def depthwise() -> Any:
    from keras import layers

    def body(x: Any) -> Any:
        x = conv(x, 16, stride=2)
        for filters in (24, 32):
            x = norm()(layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x))
            x = layers.MaxPooling2D(3, 2, padding="same")(layers.ReLU(6.0)(x))
        return x

    return model(body, first="symmetric")


def dilated() -> Any:
    from keras import layers

    def body(x: Any) -> Any:
        x = layers.Conv2D(16, 3, 2, padding="same", activation="relu")(x)
        x = layers.Conv2D(16, 3, padding="same", dilation_rate=2, activation="relu")(x)
        return layers.Conv2D(24, 3, 2, padding="same", activation="relu")(x)

    return model(body, logits=True)


def grouped() -> Any:
    from keras import layers

    def body(x: Any) -> Any:
        x = conv(x, 16, stride=2)
        x = layers.Conv2D(32, 3, 2, padding="same", groups=4, use_bias=False)(x)
        return conv(layers.ReLU()(norm()(x)), 32, 1)

    return model(body)


def lenet() -> Any:
    """Convolutions without padding, a Flatten and two dense layers."""
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, -1)(image)
    for filters in (8, 16, 16):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 5, activation="relu")(x))
    x = layers.Dense(32, activation="tanh")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(CLASSES)(x))


def preactivated() -> Any:
    """Batch normalization and ReLU before convolutions, and densely concatenated."""
    from keras import layers

    def body(x: Any) -> Any:
        x = layers.Conv2D(16, 3, 2, padding="same", use_bias=False)(x)
        for _ in range(3):
            y = layers.Conv2D(12, 3, padding="same", use_bias=False)(layers.ReLU()(norm()(x)))
            x = layers.Concatenate()([x, y])
        x = layers.AveragePooling2D(2)(layers.Conv2D(24, 1)(layers.ReLU()(norm()(x))))
        return layers.ReLU()(norm()(x))

    return model(body)


def _kinds() -> tuple[Network, ...]:
    outside = tuple(
        Network(name=f"outside_{way}", build=prepared_outside, prepare=way)
        for way in ("symmetric", "imagenet", "unit")
    )
    articles = tuple(
        Network(
            name=f"article_{n}", build=article, size=28, images="fashion", prepare="unit", seed=n, steps=350
        )
        for n in range(1, 6)
    )
    plain = (
        beginner, hard_swish, upsampling, prelu, group_norm, transposed, layer_norm, scaled_behind, swish,
        pools, nested, paddings, resnet, shared, biased, depthwise, dilated, grouped, lenet, preactivated,
    )  # fmt: skip
    first = (Network(name="caffe", build=bottlenecks, prepare="caffe"), *articles[:2], *outside)
    return (*first, *(Network(name=build.__name__, build=build) for build in plain), *articles[2:])


KINDS = _kinds()
