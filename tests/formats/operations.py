"""One operation each, between two convolutions: what networks of Keras hold beside those of nets.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.formats.nets import classifier, conv

Operation = Callable[[Any], Any]
SIDE, CHANNELS = 12, 8
ROWS = SIDE * SIDE


def network(operation: Operation) -> keras.Model:
    """Takes (SIDE, SIDE, 3); the operation has (SIDE, SIDE, CHANNELS), of both signs."""
    return classifier(lambda x: conv(operation(conv(x, CHANNELS)), 6), (SIDE, SIDE, 3))


def transposed(kernel: int, stride: int, padding: str, **options: Any) -> Operation:
    return lambda x: layers.Conv2DTranspose(6, kernel, strides=stride, padding=padding, **options)(x)


def padded(mode: str, **options: Any) -> Operation:
    return lambda x: ops.pad(x, ((0, 0), (1, 2), (2, 1), (0, 0)), mode=mode, **options)


def reduced(function: Callable[..., Any], *axes: int) -> Operation:
    return lambda x: x * function(x, axis=axes, keepdims=True)


def split(x: Any) -> Any:
    return ops.concatenate(ops.split(x, 2, axis=-1)[::-1], -1)


def split_unevenly(x: Any) -> Any:
    return ops.concatenate(ops.split(x, [3, 5], axis=-1)[::-1], -1)


def unstacked(x: Any) -> Any:
    return sum(ops.unstack(layers.Reshape((SIDE, SIDE, 2, 4))(x), axis=3))


def stacked(x: Any) -> Any:
    return layers.Reshape((SIDE, SIDE, 2 * CHANNELS))(ops.stack([x, x * 2], axis=-1))


def maxout(x: Any) -> Any:
    """I. Goodfellow et al., arXiv:1302.4389: what was of rank 5 is an image again."""
    return ops.max(layers.Reshape((SIDE, SIDE, CHANNELS // 2, 2))(x), axis=-1)


def rows_taken(x: Any) -> Any:
    """Slices that leave an axis out."""
    return layers.Reshape((SIDE, 1, CHANNELS))(x[:, 3] + x[:, -1])


def attention(x: Any) -> Any:
    """Over the pixels, of two heads: products of rank 4."""
    rows = layers.Reshape((ROWS, CHANNELS))(x)
    return layers.Reshape((SIDE, SIDE, CHANNELS))(layers.MultiHeadAttention(2, 4)(rows, rows))


def nonlocal_block(x: Any) -> Any:
    """X. Wang et al., arXiv:1711.07971: products of rank 3, one of a transposed matrix."""
    q, k, v = (layers.Reshape((ROWS, CHANNELS))(conv(x, CHANNELS, 1)) for _ in range(3))
    attended = layers.Dot((2, 1))([layers.Softmax()(layers.Dot(2)([q, k])), v])
    return x + layers.Reshape((SIDE, SIDE, CHANNELS))(attended)


def dense_of_rank_5(x: Any) -> Any:
    x = layers.Dense(4, "relu")(layers.Reshape((SIDE, SIDE, 2, 4))(x))
    return layers.Reshape((SIDE, SIDE, CHANNELS))(x)


def convnext(x: Any) -> Any:
    """Z. Liu et al., arXiv:2201.03545: LayerNorm, GELU, a scale for each channel."""
    y = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(7, padding="same")(x))
    y = layers.Dense(CHANNELS)(keras.activations.gelu(layers.Dense(32)(y)))
    return x + y * np.linspace(0.5, 1.5, CHANNELS, dtype=np.float32)


def cbam(x: Any) -> Any:
    """S. Woo et al., arXiv:1807.06521: means and maxima of each channel, and of each pixel."""
    narrow, wide = layers.Dense(4, "relu"), layers.Dense(CHANNELS)
    pools = (layers.GlobalAveragePooling2D(keepdims=True)(x), layers.GlobalMaxPooling2D(keepdims=True)(x))
    x = x * ops.sigmoid(sum(wide(narrow(pool)) for pool in pools))
    maps = [ops.mean(x, -1, keepdims=True), ops.max(x, -1, keepdims=True)]
    return x * conv(ops.concatenate(maps, -1), 1, 7, activation="sigmoid")


OPERATIONS: dict[str, Operation] = {
    "enlarged nearest": layers.UpSampling2D((2, 3)),
    "enlarged bilinear": layers.UpSampling2D(2, interpolation="bilinear"),
    "resized nearest": layers.Resizing(17, 9, interpolation="nearest"),
    "resized bilinear": layers.Resizing(17, 9),
    "reduced bilinear": layers.Resizing(5, 7),
    "transposed 2": transposed(2, 2, "valid"),
    "transposed 2 of 3": transposed(2, 3, "valid"),
    "transposed 3": transposed(3, 2, "same", use_bias=False, activation="relu"),
    "transposed 4": transposed(4, 2, "same"),
    "transposed 5": transposed(5, 3, "same"),
    "transposed unstrided": transposed(3, 1, "same"),
    "transposed longer": transposed(3, 2, "same", output_padding=1),
    "attention": attention,
    "nonlocal": nonlocal_block,
    "dense of rank 5": dense_of_rank_5,
    "convnext": convnext,
    "cbam": cbam,
    "group of one": layers.GroupNormalization(-1),
    "rms": layers.RMSNormalization(),
    "split": split,
    "split unevenly": split_unevenly,
    "unstacked": unstacked,
    "stacked": stacked,
    "maxout": maxout,
    "rows taken": rows_taken,
    "repeated": lambda x: ops.repeat(x, 2, axis=-1),
    "tiled": lambda x: ops.tile(x, (1, 1, 2, 1)),
    "gathered": lambda x: ops.take(x, [1, 3, 5, 0, 2, 4, 6, 7], axis=-1),
    "flipped": lambda x: ops.flip(x, axis=2),
    "rolled": lambda x: ops.roll(x, 3, axis=1),
    "padded reflecting": padded("reflect"),
    "padded symmetric": padded("symmetric"),
    "padded with a half": padded("constant", constant_values=0.5),
    "sum over channels": reduced(ops.sum, -1),
    "sum over the image": reduced(ops.sum, 1, 2),
    "minimum over channels": reduced(ops.min, -1),
    "minimum over rows": reduced(ops.min, 1),
    "product over rows": reduced(ops.prod, 1),
    "softmax over channels": ops.softmax,
    "log softmax": ops.log_softmax,
    "cumulated": lambda x: ops.cumsum(x, axis=1),
    "greater": lambda x: ops.where(x > 0.1, x, x * 0.2),
    "between": lambda x: x * ops.cast(ops.logical_and(x >= -0.5, ops.logical_not(x > 0.5)), "float32"),
    "unlike": lambda x: ops.where(ops.logical_or(ops.not_equal(x, 0), ops.equal(x, 1)), x + 1, x),
    "selu": ops.selu,
    "soft shrink": keras.activations.soft_shrink,
    "leaky, shifted, limited": layers.ReLU(max_value=4.0, negative_slope=0.1, threshold=0.2),
    "glu": keras.activations.glu,
    "sine": lambda x: ops.sin(x) + ops.cos(2 * x),
    "whole numbers": lambda x: ops.floor(4 * x) + ops.ceil(3 * x) + ops.round(5 * x) + ops.sign(x),
    "unit length": layers.UnitNormalization(),
}  # fmt: skip
UNKNOWN: dict[str, tuple[Operation, str]] = {
    "conv 3d": (
        lambda x: layers.Reshape((SIDE, SIDE, 16))(
            layers.Conv3D(4, 3, padding="same")(layers.Reshape((SIDE, SIDE, 4, 2))(x))
        ),
        "CONV_3D",
    ),
    "top": (lambda x: x * ops.top_k(x, 1)[0], "TOPK_V2"),
}
"""What has no lowering, and its name in TFLite."""
