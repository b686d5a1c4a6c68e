"""Functions of TensorFlow on symbolic tensors: the same numbers as on real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.models.functional.as_functional import as_functional
from tests.models import nets, subclassed
from tests.models.subclassed import SHAPE

pytestmark = nets.KERAS_WARNINGS

CALLS: dict[str, Callable[[Any], Any]] = {
    "relu6": lambda x: tf.nn.relu6(9 * x),
    "leaky": lambda x: tf.nn.leaky_relu(x - 0.5),
    "leaky alpha": lambda x: tf.nn.leaky_relu(x - 0.5, alpha=0.1),
    "gelu": lambda x: tf.nn.gelu(x - 0.5),
    "gelu, tanh": lambda x: tf.nn.gelu(x - 0.5, approximate=True),
    "silu": lambda x: tf.nn.silu(x - 0.5),
    "silu beta": lambda x: tf.nn.silu(x - 0.5, beta=2.0),
    "elu": lambda x: tf.nn.elu(x - 0.5),
    "selu": lambda x: tf.nn.selu(x - 0.5),
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "softplus": tf.math.softplus,
    "softsign": tf.nn.softsign,
    "softmax": tf.nn.softmax,
    "softmax axis": lambda x: tf.nn.softmax(x, axis=1),
    "log_softmax": tf.nn.log_softmax,
    "add_n": lambda x: tf.add_n([x, 2 * x, x]),
    "subtract": lambda x: tf.subtract(1.0, x),
    "mean and std": lambda x: (x - tf.constant([0.4, 0.5, 0.6])) / tf.constant([0.2, 0.3, 0.4]),
    "product": lambda x: tf.multiply(x, tf.reduce_max(x, axis=[1, 2], keepdims=True)),
    "quotient": lambda x: tf.divide(x, 1 + tf.reduce_sum(x, axis=-1, keepdims=True)),
    "power": lambda x: tf.pow(x, 2.0),
    "maximum": lambda x: tf.maximum(x, 0.5),
    "clip": lambda x: tf.clip_by_value(x, 0.2, 0.7),
    "roots": lambda x: (
        tf.sqrt(x) + tf.math.rsqrt(x + 1) + tf.square(x) + tf.exp(-x) + tf.math.log(x + 1) + tf.abs(x)
    ),
    "minimum": lambda x: tf.reduce_min(x, axis=3),
    "l2": lambda x: tf.math.l2_normalize(x, axis=-1),
    "pad": lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]),
    "pad constant": lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=2.0),
    "reflect": lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], mode="REFLECT"),
    "resize": lambda x: tf.image.resize(x, (9, 20)),
    "nearest": lambda x: tf.image.resize(x, (32, 24), method="nearest"),
    "max_pool": lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME"),
    "avg_pool": lambda x: tf.nn.avg_pool2d(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"),
    "squeeze": lambda x: tf.squeeze(tf.reduce_mean(x, [1, 2], keepdims=True), [1, 2]),
    "expand": lambda x: tf.expand_dims(tf.reduce_mean(x, 3), -1),
    "transpose": lambda x: tf.transpose(x, [0, 3, 1, 2]),
    "reshape": lambda x: tf.reshape(x, [tf.shape(x)[0], -1, 3]),
    "tile": lambda x: tf.tile(x, [1, 2, 1, 1]),
    "stack": lambda x: tf.stack([x, -x], axis=1),
    "split": lambda x: tf.concat(tf.split(x, [1, 2], axis=-1)[::-1], axis=-1),
    "turned": lambda x: x[..., ::-1],
    "cast": lambda x: tf.cast(tf.cast(x, tf.float16), tf.float32),
    "identity": lambda x: tf.stop_gradient(tf.identity(tf.convert_to_tensor(x))),
}


class _Calls(keras.Model):
    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


@pytest.mark.parametrize("name", CALLS)
def test_the_numbers_are_those_of_tensorflow(name: str) -> None:
    model = _Calls(CALLS[name])
    batch = subclassed.images()
    expected = np.asarray(model(batch))
    rebuilt = as_functional(model, SHAPE, "net").model
    assert rebuilt is not model, "its graph is not known"
    tolerance = 1e-3 if name == "cast" else 1e-5
    np.testing.assert_allclose(np.asarray(rebuilt(batch)), expected, rtol=tolerance, atol=tolerance)
