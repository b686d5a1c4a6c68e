"""Tests of training.losses, against the formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from resnet_edge.core.head import Head
from resnet_edge.training.losses import accuracy_of, as_logits, cross_entropy, divergence, loss_of
from resnet_edge.training.recipe import Recipe

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(0, 3, (6, 4)).astype(np.float32)
TEACHER = RANDOM.normal(0, 3, (6, 4)).astype(np.float32)
LABELS = np.arange(6) % 4
HEAD = Head.of_classes(4, "logits")


def log_softmax(values: Any) -> Any:
    wide = np.asarray(values, np.float64)
    return wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))


def recipe(**how: Any) -> Recipe:
    return Recipe(data="", epochs=1, **how)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_with_smoothing(smoothing: float) -> None:
    target = np.eye(4)[LABELS] * (1 - smoothing) + smoothing / 4
    expected = -(target * log_softmax(LOGITS)).sum(axis=1)
    np.testing.assert_allclose(cross_entropy(LABELS, LOGITS, smoothing), expected, rtol=1e-5)


def test_divergence_is_zero_of_equals_and_of_the_size_of_gradients_at_any_temperature() -> None:
    np.testing.assert_allclose(divergence(LOGITS, LOGITS + 5, 4.0), np.zeros(6), atol=1e-5)
    p, q = log_softmax(TEACHER / 4), log_softmax(LOGITS / 4)
    np.testing.assert_allclose(divergence(TEACHER, LOGITS, 4.0), 16 * (np.exp(p) * (p - q)).sum(1), rtol=1e-4)


def test_a_teacher_is_told_by_the_width_of_the_targets() -> None:
    packed = np.concatenate([LABELS[:, None].astype(np.float32), TEACHER], axis=1)
    how = recipe(teacher="x", teacher_weight=0.25, temperature=2.0)
    value = loss_of(how, HEAD)(packed, LOGITS)
    hard, soft = cross_entropy(LABELS, LOGITS, 0.0), divergence(TEACHER, LOGITS, 2.0)
    np.testing.assert_allclose(value, 0.75 * np.asarray(hard) + 0.25 * np.asarray(soft), rtol=1e-6)
    np.testing.assert_allclose(loss_of(how, HEAD)(LABELS[:, None], LOGITS), hard)


def test_a_penalty_is_added_to_each() -> None:
    plain = np.asarray(loss_of(recipe(), HEAD)(LABELS, LOGITS))
    np.testing.assert_allclose(loss_of(recipe(), HEAD, lambda: 2.5)(LABELS, LOGITS), plain + 2.5, rtol=1e-6)


def test_probabilities_and_their_logits_have_one_loss() -> None:
    softmax = np.exp(log_softmax(LOGITS)).astype(np.float32)
    head = Head.of_classes(4, "probabilities")
    expected = loss_of(recipe(), HEAD)(LABELS, LOGITS)
    np.testing.assert_allclose(loss_of(recipe(), head)(LABELS, softmax), expected, rtol=1e-4, atol=1e-5)


def test_a_sigmoid_is_the_softmax_of_zero_and_its_logit() -> None:
    logit, labels = LOGITS[:, :1], LABELS % 2
    pairs = np.asarray(as_logits(logit, Head.binary("logits")))
    np.testing.assert_array_equal(pairs, np.concatenate([np.zeros_like(logit), logit], axis=1))
    sigmoid = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(
        loss_of(recipe(), Head.binary("probabilities"))(labels, sigmoid),
        loss_of(recipe(), Head.binary("logits"))(labels, logit),
        rtol=1e-3,
        atol=1e-5,
    )


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_a_score_of_0_or_1_is_a_large_loss_and_no_infinity(end: float) -> None:
    for outputs, head in (
        (np.array([[end]], np.float32), Head.binary("probabilities")),
        (np.array([[end, 1 - end]], np.float32), Head.of_classes(2, "probabilities")),
    ):
        for label in (0, 1):
            assert np.isfinite(loss_of(recipe(), head)(np.array([label]), outputs)).all()


def test_accuracy_is_by_the_head() -> None:
    assert np.asarray(accuracy_of(HEAD)(LOGITS.argmax(1), LOGITS)).tolist() == [1.0] * 6
    packed = np.concatenate([LABELS[:, None].astype(np.float32), TEACHER], axis=1)
    expected = (LOGITS.argmax(1) == LABELS).astype(float).tolist()
    assert np.asarray(accuracy_of(HEAD)(packed, LOGITS)).tolist() == expected
    high = Head.binary("probabilities", 0.8)
    outputs = np.array([[0.7], [0.9]], np.float32)
    assert np.asarray(accuracy_of(high)(np.array([1, 1]), outputs)).tolist() == [0.0, 1.0]


SEVERAL = RANDOM.integers(0, 2, (6, 4))
ONE_EACH = Head.multilabel(4, "logits")


def log_sigmoid(values: Any) -> Any:
    return -np.log1p(np.exp(-np.asarray(values, np.float64)))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_labels_have_the_mean_of_their_cross_entropies(smoothing: float) -> None:
    target = SEVERAL * (1 - smoothing) + smoothing / 2
    each = -(target * log_sigmoid(LOGITS) + (1 - target) * log_sigmoid(-LOGITS))
    losses = loss_of(recipe(label_smoothing=smoothing), ONE_EACH)(SEVERAL, LOGITS)
    np.testing.assert_allclose(losses, each.mean(axis=1), rtol=1e-5)


def test_probabilities_of_labels_and_their_logits_have_one_loss() -> None:
    probabilities = np.exp(log_sigmoid(LOGITS)).astype(np.float32)
    losses = loss_of(recipe(), Head.multilabel(4, "probabilities"))(SEVERAL, probabilities)
    np.testing.assert_allclose(losses, loss_of(recipe(), ONE_EACH)(SEVERAL, LOGITS), rtol=1e-4, atol=1e-5)


def test_a_teacher_of_labels_is_met_where_its_probabilities_are() -> None:
    how = recipe(teacher="x", teacher_weight=1.0, temperature=2.0)
    packed = np.concatenate([SEVERAL.astype(np.float32), TEACHER], axis=1)
    t, s = TEACHER.astype(np.float64) / 2, LOGITS.astype(np.float64) / 2
    yes = 1 / (1 + np.exp(-t))
    each = yes * (log_sigmoid(t) - log_sigmoid(s)) + (1 - yes) * (log_sigmoid(-t) - log_sigmoid(-s))
    np.testing.assert_allclose(loss_of(how, ONE_EACH)(packed, LOGITS), 4 * each.mean(axis=1), rtol=1e-4)
    same = np.concatenate([SEVERAL.astype(np.float32), LOGITS], axis=1)
    np.testing.assert_allclose(loss_of(how, ONE_EACH)(same, LOGITS), np.zeros(6), atol=1e-6)


def test_the_accuracy_of_labels_is_the_share_of_them() -> None:
    head = Head.multilabel(4, "logits", (0.0, 1.0, -1.0, 0.0))
    wanted = ((LOGITS > [0, 1, -1, 0]) == SEVERAL).mean(axis=1)
    np.testing.assert_allclose(accuracy_of(head)(SEVERAL, LOGITS), wanted)


def test_an_embedding_is_to_point_where_its_teacher_does() -> None:
    head = Head.embedding(4)
    cosines = (LOGITS * TEACHER).sum(1) / np.linalg.norm(LOGITS, axis=1) / np.linalg.norm(TEACHER, axis=1)
    np.testing.assert_allclose(loss_of(recipe(), head)(TEACHER, LOGITS), 1 - cosines, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loss_of(recipe(), head)(3 * LOGITS, LOGITS), np.zeros(6), atol=1e-5)
    np.testing.assert_allclose(accuracy_of(head)(TEACHER, LOGITS), cosines, rtol=1e-4, atol=1e-5)
    assert np.isfinite(np.asarray(loss_of(recipe(), head)(np.zeros_like(LOGITS), LOGITS))).all()
