"""Networks that nobody thought of: depth, widths, kernels, activations, pooling, blocks and preprocessing
are drawn from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .networks import Network, conv, head, norm, squeeze

ACTIVATIONS = ("relu", "relu", "relu6", "leaky_relu", "hard_silu", "silu", "elu", "gelu")
SIZES = (64, 72, 80, 96)
PREPARE = ("model", "model", "caffe", "symmetric", "imagenet", "unit", "none")


def random_network(seed: int) -> Network:
    """The network of a seed; the same seed gives the same one."""
    random = np.random.default_rng([seed, 20])
    size, way = int(random.choice(SIZES)), str(random.choice(PREPARE))
    return Network(
        name=f"random_{seed}",
        build=lambda: _build(np.random.default_rng([seed, 21]), size, way),
        size=size,
        prepare=way,
        seed=seed,
        probe=True,
    )


def _build(random: np.random.Generator, size: int, way: str) -> Any:
    import keras
    from keras import layers

    image = keras.Input((size, size, 3))
    x: Any = image
    if way == "model":
        scale, offset = ((1 / 255, 0.0), (1 / 127.5, -1.0), (1 / 64, -2.0))[random.integers(3)]
        x = layers.Rescaling(scale, offset)(x)
    elif way == "none":
        x = norm()(x)
    x = conv(
        x, int(random.integers(8, 25)), int(random.choice((3, 5, 7))), 2, str(random.choice(ACTIVATIONS))
    )
    for _ in range(int(random.integers(3, 8))):
        x = BLOCKS[random.integers(len(BLOCKS))](random, x)
        if x.shape[1] > 8 and random.random() < 0.45:
            x = _pool(random, x)
    return keras.Model(image, _head(random, x))


def _head(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    if random.random() < 0.3:
        x = layers.Dense(int(random.integers(16, 49)), activation="relu")(layers.GlobalMaxPooling2D()(x))
        return layers.Dense(6, activation="softmax")(x)
    return head(x, logits=bool(random.random() < 0.5))


def _pool(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    kind = layers.MaxPooling2D if random.random() < 0.5 else layers.AveragePooling2D
    return kind(int(random.integers(2, 4)), 2, padding=str(random.choice(("same", "valid"))))(x)


def _activated(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    if random.random() < 0.15:
        return layers.PReLU(alpha_initializer="glorot_uniform", shared_axes=[1, 2])(x)
    return layers.Activation(str(random.choice(ACTIVATIONS)))(x)


def _normed(random: np.random.Generator, x: Any) -> Any:
    """Batch normalization before or behind the activation, or none."""
    order = random.integers(4)
    if order == 0:
        return _activated(random, x)
    if order == 1:
        return norm()(_activated(random, x))
    return _activated(random, norm()(x))


def _plain(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    kernel, bias = int(random.choice((1, 3, 3, 5))), bool(random.random() < 0.5)
    x = layers.Conv2D(int(random.integers(8, 33)), kernel, padding="same", use_bias=bias)(x)
    return _normed(random, x)


def _residual(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    y = _normed(random, layers.Conv2D(x.shape[-1], 3, padding="same")(x))
    y = norm()(layers.Conv2D(x.shape[-1], int(random.choice((1, 3))), padding="same", use_bias=False)(y))
    return _activated(random, layers.Add()([x, y]))


def _concatenated(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    ways = [_plain(random, x) for _ in range(int(random.integers(2, 4)))]
    return layers.Concatenate()(ways)


def _excited(random: np.random.Generator, x: Any) -> Any:
    gate = str(random.choice(("sigmoid", "hard_sigmoid")))
    return squeeze(_plain(random, x), gate, "relu")


def _depthwise(random: np.random.Generator, x: Any) -> Any:
    from keras import layers

    kernel = int(random.choice((3, 5)))
    x = _normed(random, layers.DepthwiseConv2D(kernel, padding="same", use_bias=False)(x))
    return norm()(layers.Conv2D(int(random.integers(12, 33)), 1)(x))


BLOCKS = (_plain, _residual, _concatenated, _excited, _depthwise)
