"""Exponentials are taken of no more than what is read of them, and the answers stay the same bits."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from resnet_edge.core.statistics import sqnr_db
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.rewrites.bounded_exponentials import bound_exponentials, limit_exponentials
from tests.formats import nets
from tests.graph.lowered import Function, X, lowered, operations, rewritten
from tests.graph.road import RUNTIMES, litert, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
LEAST_DB = 35
"""With a ReLU in its place this network has 47 dB. As the converter lowers them, the float graph gives
infinities on these images."""
ALPHAS = tf.constant([0.25, 0.5, 1, 2])

BOUNDED: dict[str, tuple[Function, float]] = {
    "selu": (tf.nn.selu, 0),
    "greater": (lambda x: tf.where(x > 0, x, 1.5 * (tf.exp(x) - 1)), 0),
    "greater_equal": (lambda x: tf.where(x >= 0, x, 0.5 * (tf.exp(x / 0.5) - 1)), 0),
    "less": (lambda x: tf.where(x < 0, 1.5 * tf.exp(x) - 1.5, x), 0),
    "turned": (lambda x: tf.where(tf.less(0.0, x), x, tf.math.expm1(x)), 0),
    "not_at_zero": (lambda x: tf.where(x > 2.5, x, tf.exp(3 * x - 1)), 6.5),
    "falling": (lambda x: tf.where(x > -3, tf.exp(-x) / 7, x), 3),
    "no_constants": (lambda x: tf.where(x > 0, x, tf.tanh(x * tf.exp(x)) * x), 0),
    "slope_per_channel": (lambda x: tf.where(x > 0, x, ALPHAS * tf.math.expm1(x / ALPHAS)), 0),
    "minimum": (lambda x: tf.nn.relu(x) + tf.minimum(0.7 * (tf.exp(x / 0.7) - 1), 0), 0),
    "relu": (lambda x: tf.nn.relu(x) - 1.5 * tf.nn.relu(1 - tf.exp(x)), 0),
    "maximum": (lambda x: tf.nn.relu(x) - tf.maximum(2 - 2 * tf.exp(x), 0), 0),
    "two_readers": (
        lambda x: tf.where(x > 1, x, tf.exp(x)) + tf.minimum(tf.exp(x), 1),
        1,
    ),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_exponential_is_bounded_and_the_bits_are_the_same(name: str, tmp_path: Path) -> None:
    function, bound = BOUNDED[name]
    shape = (1, 1024, 1, 4)
    before = lowered(function, tmp_path / "a.tflite", shape)
    after, count = rewritten(before, limit_exponentials)
    assert count == 1
    graph = read_graph(after)
    (exponential,) = (node for node in graph.nodes if node.op == "EXP")
    (limit,) = (node for node in graph.nodes if exponential.inputs[0] in node.outputs)
    assert limit.op == "MINIMUM"
    assert graph.tensors[limit.inputs[1]].data == np.float32(bound)
    np.testing.assert_array_equal(litert(after, X.reshape(shape)), litert(before, X.reshape(shape)))


LEFT: dict[str, Function] = {
    "read_elsewhere": lambda x: tf.where(x > 0, x, tf.exp(x)) + tf.exp(x),
    "output": tf.exp,
    "the_other_branch": lambda x: tf.where(x > 0, tf.exp(x), x),
    "both_branches": lambda x: tf.where(x > 0, tf.exp(x), 2 * tf.exp(x)),
    "told_by_something_else": lambda x: tf.where(tf.reverse(x, [1]) > 0, x, tf.exp(x)),
    "told_by_a_square": lambda x: tf.where(x * x > 4, x, tf.exp(x)),
    "summed": lambda x: tf.where(x > 0, x, tf.reduce_sum(tf.exp(x), 1, keepdims=True) + x),
    "minimum_too_high": lambda x: tf.minimum(tf.exp(x) - 1, 5),
    "minimum_of_what_falls": lambda x: tf.minimum(1 - tf.exp(x), 0),
    "relu_of_what_rises": lambda x: tf.nn.relu(tf.exp(x) - 1),
    "bounded_already": lambda x: tf.nn.relu(x) + tf.exp(tf.minimum(x, 0)),
    "never_above_zero": lambda x: tf.where(x > 0, x, tf.exp(-tf.abs(x))),
    "bounded_by_hand": lambda x: tf.where(x > 0, x, tf.exp(tf.minimum(x, 0))),
    "keras_celu": keras.activations.celu,
    "relu": tf.nn.relu,
}


@pytest.mark.parametrize("name", LEFT)
def test_exponential_that_is_read_everywhere_or_bounded_is_left(name: str, tmp_path: Path) -> None:
    before = lowered(LEFT[name], tmp_path / "a.tflite")
    after, count = rewritten(before, bound_exponentials)
    assert count == 0
    assert operations(after) == operations(before)


@pytest.mark.parametrize("activation", ["softplus", "selu", "mish", "log_sigmoid"])
def test_int8_keeps_what_follows_a_steep_normalization(activation: str, tmp_path: Path) -> None:
    """Numbers of -30 to 30 and more in front of the activation, as batch normalization leaves some."""
    image = keras.Input((8, 8, 3))
    x = layers.Activation(activation)(nets.conv(image, 6, 3))
    model = nets.randomized(keras.Model(image, layers.Dense(5)(layers.GlobalAveragePooling2D()(x))))
    images = np.random.default_rng(5).normal(0, 20, (24, 8, 8, 3)).astype(np.float32)
    net = road(model, images, tmp_path)
    for format_name, run in RUNTIMES.items():
        path, _ = net.artifact(format_name, "int8")
        noise = run(path, images) - net.reference
        assert sqnr_db((net.reference**2).sum(), (noise**2).sum()) > LEAST_DB, format_name
