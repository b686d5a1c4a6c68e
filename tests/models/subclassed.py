"""Models of a user's own classes, as people write them: on images of 16x12x3, with 4 scores."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SHAPE = (16, 12, 3)


class ConvBN(layers.Layer):
    """Names of layers that every block repeats."""

    def __init__(self, filters: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, name="conv")
        self.bn = layers.BatchNormalization(name="bn")

    def call(self, x: Any, training: Any = None) -> Any:
        return self.bn(self.conv(x), training=training)


class SqueezeExcite(layers.Layer):
    """With functions of TensorFlow."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.squeeze = layers.Dense(filters // 4, activation="relu")
        self.excite = layers.Dense(filters, activation="sigmoid")

    def call(self, x: Any) -> Any:
        scale = self.excite(self.squeeze(tf.reduce_mean(x, axis=[1, 2])))
        return x * tf.reshape(scale, [-1, 1, 1, scale.shape[-1]])


class Block(keras.Model):
    """A model in a model, with a branch for training."""

    def __init__(self, filters: int, stride: int = 1) -> None:
        super().__init__()
        self.first, self.second = ConvBN(filters, 3, stride), ConvBN(filters)
        self.attention = SqueezeExcite(filters)
        self.shortcut = ConvBN(filters, 1, stride) if stride > 1 else None
        self.drop = layers.Dropout(0.2)

    def call(self, x: Any, training: Any = None) -> Any:
        y = tf.nn.relu(self.first(x, training=training))
        y = self.attention(self.second(y, training=training))
        if training:
            y = self.drop(y)
        y += x if self.shortcut is None else self.shortcut(x, training=training)
        return tf.nn.relu(y)


class Net(keras.Model):
    """Blocks in lists of lists, a loop and an `if` that depend on no data, a loss of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvBN(8)
        self.stages = [[Block(8), Block(8)], [Block(12, 2)]]
        self.dense = layers.Dense(4)

    def call(self, x: Any, training: Any = None) -> Any:
        x = self.stem(x / 255.0, training=training)
        for stage in self.stages:
            for block in stage:
                x = block(x, training=training)
        self.add_loss(1e-3 * tf.reduce_sum(tf.square(x)))
        return self.dense(tf.reduce_mean(x, axis=(1, 2)))


class OwnWeights(keras.Model):
    """Weights of its own in functions of TensorFlow and Keras."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = self.add_weight(shape=(3, 3, 3, 8), name="kernel")
        self.bias = self.add_weight(shape=(8,), name="bias")
        self.gamma = self.add_weight(shape=(8,), name="gamma")
        self.matrix = self.add_weight(shape=(8, 4), name="matrix")

    def call(self, x: Any) -> Any:
        x = tf.nn.bias_add(tf.nn.conv2d(x, self.kernel, strides=[1, 2, 2, 1], padding="SAME"), self.bias)
        return keras.ops.matmul(tf.reduce_mean(self.gamma * tf.nn.relu(x), [1, 2]), self.matrix)


class Derived(OwnWeights):
    """A kernel that is computed of weights: no layer of Keras has it."""

    def call(self, x: Any) -> Any:
        x = tf.nn.conv2d(x, tf.nn.relu(self.kernel), strides=1, padding="SAME")
        return keras.ops.matmul(tf.reduce_mean(x, [1, 2]), self.matrix)


class Shared(keras.Model):
    """One layer three times, and a tensor that is kept in the model."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv = layers.Conv2D(8, 3), layers.Conv2D(8, 3, padding="same")
        self.dense = layers.Dense(4)
        self.seen: Any = None

    def call(self, x: Any) -> Any:
        x = self.stem(x)
        for _ in range(3):
            x += tf.nn.relu(self.conv(x))
        self.seen = x
        return {"scores": self.dense(layers.Flatten()(x))}


class Branching(keras.Model):
    """Its graph depends on the values of a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(4)

    def call(self, x: Any) -> Any:
        x = tf.reduce_mean(x, [1, 2])
        if tf.reduce_mean(x) > 0:
            x = x * 2
        return self.dense(x)


class Mapped(Branching):
    """A loop of TensorFlow."""

    def call(self, x: Any) -> Any:
        return self.dense(tf.map_fn(lambda row: row * 2, tf.reduce_mean(x, [1, 2])))


class MadeInCall(keras.Model):
    """New weights in each call."""

    def call(self, x: Any) -> Any:
        return layers.Dense(4)(layers.Flatten()(x))


class Random(Branching):
    """Other answers in each call."""

    def call(self, x: Any) -> Any:
        return self.dense(tf.reduce_mean(x, [1, 2]) + tf.random.normal((3,)))


class MyConv(layers.Conv2D):
    """A class of the user's that computes what Keras' does."""

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(filters, 3, padding="same", **options)


class Functions(keras.Model):
    """Many functions of TensorFlow, and layers where Keras does not look."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = keras.Sequential([MyConv(8), layers.BatchNormalization(), ConvBN(8)])
        self.half = layers.Lambda(lambda x: x * 0.5)
        self.holder: Any = type("Holder", (), {"conv": layers.Conv2D(8, 1)})
        self.dense = layers.Dense(4)

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.half(self.stack(x))
        x = tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [0, 0], [0, 0]]), 2, 2, "VALID")
        x = self.holder.conv(x)
        small = tf.nn.avg_pool2d(x, 2, 2, "SAME")
        x = tf.concat([x, tf.image.resize(small, x.shape.as_list()[1:3])], -1)
        one, other = tf.split(x, 2, axis=-1)
        x = tf.transpose(one + tf.nn.silu(other), [0, 2, 1, 3])
        x = tf.reshape(x, [tf.shape(x)[0], -1])
        return tf.nn.softmax(self.dense(tf.nn.dropout(x, 0.1) if training else x))


def built(kind: type, shape: tuple[int, int, int] = SHAPE) -> keras.Model:
    """A model of a class, built, with random weights."""
    model = kind()
    model(keras.ops.zeros((1, *shape)))
    random = np.random.default_rng(0)
    for weight in model.weights:
        low, high = (0.5, 1.5) if "variance" in weight.path else (-0.5, 0.5)
        weight.assign(random.uniform(low, high, weight.shape))
    return model


def images(count: int = 4, shape: tuple[int, int, int] = SHAPE) -> Any:
    """Noise in 0..1."""
    return np.random.default_rng(1).random((count, *shape), np.float32)
