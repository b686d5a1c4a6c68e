"""How outputs become answers."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.models._head import looks_like_probabilities
from tests.models import nets
from tests.models.test_opened import _dense, _opened

pytestmark = nets.KERAS_WARNINGS


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: _dense(4), "logits"),
        (lambda: _dense(4, "softmax"), "probabilities"),
        (lambda: keras.Sequential([_dense(4), layers.Softmax()]), "probabilities"),
        (lambda: keras.Sequential([_dense(4, "softmax"), layers.Identity()]), "probabilities"),
        (nets.transfer, "probabilities"),
        (lambda: _dense(1), "logits"),
        (lambda: _dense(1, "sigmoid"), "probabilities"),
        (lambda: keras.Sequential([_dense(1), layers.Activation("sigmoid")]), "probabilities"),
        (lambda: keras.Sequential([_dense(1, "sigmoid"), layers.Identity()]), "probabilities"),
    ],
)
def test_the_output_kind_is_found(build: Callable[[], keras.Model], expected: str) -> None:
    assert _opened(build()).facts.output == expected


def test_probabilities_are_recognised_by_their_values() -> None:
    assert looks_like_probabilities(np.array([[0.25, 0.75], [1, 0]], np.float32))
    assert not looks_like_probabilities(np.array([[0.25, 0.75], [0.9, 0.3]], np.float32))
    assert not looks_like_probabilities(np.array([[0.25, 0.75], [1.5, -0.5]], np.float32))
