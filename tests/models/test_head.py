"""How outputs become answers."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.core.head import HeadKind
from resnet_edge.models import ModelRequest
from resnet_edge.models._head import looks_like_probabilities
from resnet_edge.models._opened import Origin, opened
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


def _pooled() -> keras.Model:
    image = keras.Input(nets.SHAPE)
    return keras.Model(image, layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(image)))


@pytest.mark.parametrize(
    ("build", "kind", "output"),
    [
        (lambda: _dense(4, "sigmoid"), "multilabel", "probabilities"),
        (lambda: keras.Sequential([_dense(4), layers.Activation("sigmoid")]), "multilabel", "probabilities"),
        (lambda: _dense(4), "classes", "logits"),
        (lambda: _dense(1, "sigmoid"), "binary", "probabilities"),
        (_pooled, "embedding", "embedding"),
        (lambda: keras.Sequential([_dense(4), layers.UnitNormalization()]), "embedding", "embedding"),
    ],
)
def test_the_kind_is_told_by_what_the_model_ends_in(
    build: Callable[[], keras.Model], kind: str, output: str
) -> None:
    facts = _opened(build()).facts
    assert (facts.head.kind, facts.head.output, facts.head.outputs) == (kind, output, facts.head.outputs)
    assert facts.classes == (0 if kind == "embedding" else max(2, facts.head.outputs))
    assert any("taken as an embedding" in said for said in facts.read_as) == (kind == "embedding")


def test_what_nothing_tells_is_said_to_be_assumed() -> None:
    assert "--head embedding or --head multilabel" in _opened(_dense(4)).facts.assumed
    assert not _opened(_dense(4, "softmax")).facts.assumed
    assert not _opened(_dense(4), head="classes").facts.assumed


@pytest.mark.parametrize(
    ("activation", "head", "output"),
    [
        (None, "multilabel", "logits"),
        ("sigmoid", "multilabel", "probabilities"),
        (None, "embedding", "embedding"),
        ("sigmoid", "classes", "probabilities"),
        ("relu", "embedding", "embedding"),
    ],
)
def test_what_the_user_says_holds_and_is_told(activation: str | None, head: HeadKind, output: str) -> None:
    facts = _opened(_dense(4, activation), head=head).facts
    assert (facts.head.kind, facts.head.output, facts.declared) == (head, output, head)
    assert any("as --head or the .json beside it says" in said for said in facts.read_as)


@pytest.mark.parametrize(
    ("build", "head", "says"),
    [
        (lambda: _dense(4), "binary", "gives 4 numbers per image, and a binary classifier one"),
        (lambda: _dense(1), "multilabel", "one number per image, which is a binary classifier's"),
        (lambda: _dense(1), "embedding", "one number per image, which is a binary classifier's"),
        (lambda: _dense(4, "softmax"), "multilabel", "ends in a softmax, whose outputs share out one answer"),
    ],
)
def test_what_it_cannot_be_is_refused(build: Callable[[], keras.Model], head: HeadKind, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        _opened(build(), head=head)


def _with(threshold: float | tuple[float, ...], activation: str | None = "sigmoid") -> tuple[float, ...]:
    origin = Origin(name="net", threshold=threshold, head="multilabel")
    request = ModelRequest("net.keras", preprocess="unit")
    return opened(_dense(3, activation), request, origin).facts.head.thresholds


def test_the_sidecar_has_one_threshold_for_all_labels_or_one_for_each() -> None:
    assert _with(0.3) == (0.3, 0.3, 0.3)
    assert _with((0.1, 0.5, 0.9)) == (0.1, 0.5, 0.9)
    assert _with((-1.0, 0.0, 2.0), None) == (-1.0, 0.0, 2.0)
    with pytest.raises(ModelError, match="has 2 thresholds, and the model 3 outputs"):
        _with((0.1, 0.5))
    with pytest.raises(ModelError, match="the threshold 1.5, and the model gives a probability"):
        _with((0.1, 0.5, 1.5))
