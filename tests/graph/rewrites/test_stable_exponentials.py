"""log(1 + exp(x)) and sigmoids written by hand, in forms without a large step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from resnet_edge.graph.rewrites.stable_exponentials import make_stable
from tests.graph.lowered import Function, X, lowered, operations, rewritten
from tests.graph.road import litert

SOFTPLUS = ["ABS", "NEG", "EXP", "ADD", "LOG", "RELU", "ADD"]


def softplus(x: NDArray[Any]) -> NDArray[Any]:
    values: NDArray[Any] = np.logaddexp(x.astype(np.float64), 0)
    return values


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    values: NDArray[Any] = np.exp(-softplus(-x))
    return values


LOGARITHMS: dict[str, tuple[Function, Function]] = {
    "softplus": (keras.ops.softplus, softplus),
    "log_sigmoid": (keras.ops.log_sigmoid, lambda x: -softplus(-x)),
    "by_hand": (lambda x: tf.math.log(tf.exp(x) + 1), softplus),
    "log1p": (lambda x: tf.math.log1p(tf.exp(x)), softplus),
    "of_twice_x": (lambda x: tf.math.log(1 + tf.exp(2 * x)) / 2, lambda x: softplus(2 * x) / 2),
    "power_read_twice": (
        lambda x: tf.math.log(1 + tf.exp(x)) + tf.exp(-tf.abs(tf.exp(x))),
        lambda x: softplus(x) + np.exp(-np.exp(np.minimum(x, 50))),
    ),
}


@pytest.mark.parametrize("name", LOGARITHMS)
def test_logarithm_is_finite_and_right_everywhere(name: str, tmp_path: Path) -> None:
    function, wanted = LOGARITHMS[name]
    before = lowered(function, tmp_path / "a.tflite")
    after, count = rewritten(before, make_stable)
    assert count == 1
    assert not np.isfinite(litert(before, X)).all(), "there would be nothing to fix"
    np.testing.assert_allclose(litert(after, X), wanted(X), rtol=1e-6, atol=3e-7)


def test_mish_is_no_worse(tmp_path: Path) -> None:
    """Its tanh hides the infinity, and multiplies what is left of float32 by x."""
    before = lowered(keras.activations.mish, tmp_path / "a.tflite")
    after, count = rewritten(before, make_stable)
    exact = X * np.tanh(softplus(X))
    errors = [np.abs(litert(path, X) - exact).max() for path in (before, after)]
    assert count == 1
    assert errors[1] <= 1.1 * errors[0]


SIGMOIDS: dict[str, tuple[Function, Function, list[str]]] = {
    "swish": (lambda x: x / (1 + tf.exp(-x)), lambda x: x * sigmoid(x), ["LOGISTIC", "MUL"]),
    "power": (lambda x: tf.exp(x) / (1 + tf.exp(x)), sigmoid, ["LOGISTIC"]),
    "falling": (lambda x: 1 / (1 + tf.exp(x)), lambda x: sigmoid(-x), ["NEG", "LOGISTIC"]),
    "of_twice_x": (lambda x: 3 / (1 + tf.exp(2 * x)), lambda x: 3 * sigmoid(-2 * x), []),
}


@pytest.mark.parametrize("name", SIGMOIDS)
def test_sigmoid_by_hand_is_the_sigmoid(name: str, tmp_path: Path) -> None:
    function, wanted, ops = SIGMOIDS[name]
    after, count = rewritten(lowered(function, tmp_path / "a.tflite"), make_stable)
    assert count == 1
    assert "EXP" not in operations(after)
    assert operations(after) == ops or not ops
    np.testing.assert_allclose(litert(after, X), wanted(X), rtol=1e-6, atol=3e-7)


LEFT: dict[str, Function] = {
    "stable_already": lambda x: tf.maximum(x, 0.0) + tf.math.log1p(tf.exp(-tf.abs(x))),
    "of_twice_that": lambda x: tf.abs(x) + tf.math.log1p(tf.exp(-2 * tf.abs(x))),
    "another_constant": lambda x: tf.math.log(2 + tf.exp(x)),
    "no_constant": lambda x: tf.math.log(tf.exp(x) + x * x),
    "another_sum": lambda x: 1 / (1 + 2 * tf.exp(x)),
    "sum_in_front": lambda x: (1 + tf.exp(x)) / (x * x + 1),
    "of_a_sum": lambda x: tf.math.log(1 + tf.reduce_sum(tf.exp(x), 1, keepdims=True)),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_stable_or_something_else_is_left(name: str, tmp_path: Path) -> None:
    before = lowered(LEFT[name], tmp_path / "a.tflite")
    after, count = rewritten(before, make_stable)
    assert count == 0
    assert operations(after) == operations(before)


def test_form_of_softplus_has_operations_of_the_oldest_runtimes(tmp_path: Path) -> None:
    after, _ = rewritten(lowered(tf.math.softplus, tmp_path / "a.tflite"), make_stable)
    assert operations(after) == SOFTPLUS


def test_open_batch_stays_open(tmp_path: Path) -> None:
    before = lowered(tf.math.softplus, tmp_path / "a.tflite", (None, 2, 3, 4))
    after, count = rewritten(before, make_stable)
    images = np.random.default_rng(0).normal(0, 99, (6, 2, 3, 4)).astype(np.float32)
    assert count == 1
    np.testing.assert_allclose(litert(after, images, 3), softplus(images), rtol=1e-6, atol=3e-7)
