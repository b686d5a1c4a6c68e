"""Choices that are sums, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.graph.rewrites.bounded_exponentials import bound_exponentials, limit_exponentials
from resnet_edge.graph.rewrites.rectified_selects import rectify_selects
from tests.formats.delegation import outside_xnnpack
from tests.graph.lowered import Function, X, lowered, operations, rewritten
from tests.graph.road import litert

ALPHAS = tf.constant([0.25, 0.5, 1, 2])
SHAPE = (1, 1024, 1, 4)
CHOICES: dict[str, Function] = {
    "selu": tf.nn.selu,
    "greater": lambda x: tf.where(x > 0, x, 1.5 * (tf.exp(x) - 1)),
    "greater_equal": lambda x: tf.where(x >= 0, x / 3, 0.5 * (tf.exp(x / 0.5) - 1)),
    "less": lambda x: tf.where(x < 0, 1.5 * tf.exp(x) - 1.5, x),
    "turned": lambda x: tf.where(tf.less(0.0, x), x, 1 - tf.exp(x)),
    "bounded_by_hand": lambda x: tf.where(x > 0, x, tf.math.expm1(tf.minimum(x, 0))),
    "slope_per_channel": lambda x: tf.where(x > 0, x, ALPHAS * tf.math.expm1(x / ALPHAS)),
    "branch_read_twice": lambda x: tf.where(x > 0, 2 * x, tf.math.expm1(x)) + tf.tanh(2 * x),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choice_is_a_sum_of_the_same_bits_and_xnnpack_takes_all_of_it(name: str, tmp_path: Path) -> None:
    before = lowered(CHOICES[name], tmp_path / "a.tflite", SHAPE)
    after, count = rewritten(before, _in_both_steps)
    assert count == 1
    assert not {"SELECT", "SELECT_V2"} & set(operations(after))
    assert outside_xnnpack(after) == []
    np.testing.assert_array_equal(litert(after, X.reshape(SHAPE)), litert(before, X.reshape(SHAPE)))


def _in_both_steps(model: Any) -> int:
    limit_exponentials(model)
    return rectify_selects(model)


LEFT: dict[str, Function] = {
    "not_at_zero": lambda x: tf.where(x > 1, x, tf.math.expm1(x)),
    "step_above": lambda x: tf.where(x > 0, x + 1, tf.math.expm1(x)),
    "step_below": lambda x: tf.where(x > 0, x, tf.exp(x)),
    "falling_above": lambda x: tf.where(x > 0, -x, tf.math.expm1(x)),
    "shifted": lambda x: tf.where(x > 0, x, tf.exp(x - 1) - 1),
    "wrong_way": lambda x: tf.where(x < 0, x, tf.math.expm1(x)),
    "told_by_something_else": lambda x: tf.where(tf.reverse(x, [1]) > 0, x, tf.math.expm1(tf.minimum(x, 0))),
    "no_exponential": lambda x: tf.where(x > 0, x, tf.minimum(tf.sin(x), 0)),
}


@pytest.mark.parametrize("how", [rectify_selects, bound_exponentials])
@pytest.mark.parametrize("name", LEFT)
def test_choice_with_a_step_is_left(name: str, how: Callable[[Any], int], tmp_path: Path) -> None:
    before = lowered(LEFT[name], tmp_path / "a.tflite")
    after, _ = rewritten(before, how)
    assert [op for op in operations(after) if op != "MINIMUM"] == [
        op for op in operations(before) if op != "MINIMUM"
    ]
