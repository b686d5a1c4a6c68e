from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.answers import (
    answers,
    centred_scores,
    changed,
    grouped,
    log_odds,
    logits,
    margins,
    of_output,
    right,
    scores,
    sigmoid,
)
from resnet_edge.core.head import Head, Output
from resnet_edge.core.statistics import sqnr_db

CLASSES = Head.of_classes(3, "logits")
PROBABILITY, LOGIT = Head.binary("probabilities"), Head.binary("logits")
SPREAD = np.linspace(-30, 30, 241)[:, None]


def one(*values: float) -> np.ndarray:
    return np.asarray(values, np.float32)[:, None]


def test_of_classes_the_largest_is_the_answer_and_the_first_of_equals() -> None:
    outputs = np.asarray([[1, 3, 2], [2, 2, 1]], np.float32)
    assert answers(CLASSES, outputs).tolist() == [1, 0]
    assert scores(CLASSES, outputs) is outputs
    assert margins(CLASSES, outputs).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("head", "outputs", "expected"),
    [
        (PROBABILITY, one(0.2, 0.5, 0.50001, 1.0), [0, 0, 1, 1]),
        (LOGIT, one(-3, 0, 1e-6, 9), [0, 0, 1, 1]),
        (Head.binary("probabilities", 0.3), one(0.3, 0.30001, 0.2), [0, 1, 0]),
        (Head.binary("logits", -1.0), one(-1, -0.5, -2), [0, 1, 0]),
    ],
)
def test_of_one_output_what_is_above_the_threshold_is_the_second_class(
    head: Head, outputs: np.ndarray, expected: list[int]
) -> None:
    """At the threshold the first class is the answer, as a float32 that was written for it is at it."""
    assert answers(head, outputs).tolist() == expected
    assert scores(head, outputs).argmax(axis=1).tolist() == expected


@pytest.mark.parametrize("head", [LOGIT, Head.binary("logits", 2.5)])
def test_scores_are_those_of_the_softmax_that_the_sigmoid_is(head: Head) -> None:
    values = scores(head, SPREAD)
    assert head.threshold is not None
    shares = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares[:, 1:], 1 / (1 + np.exp(head.threshold - SPREAD)), rtol=1e-12)
    np.testing.assert_allclose(values.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(margins(head, SPREAD)[:, None], np.abs(SPREAD - head.threshold), atol=1e-12)


def test_probabilities_are_logits_again_as_far_as_float32_holds_them() -> None:
    held = np.abs(SPREAD) < 8
    values = logits(PROBABILITY, sigmoid(SPREAD).astype(np.float32))
    np.testing.assert_allclose(values[held], SPREAD[held], rtol=1e-3)
    assert np.isfinite(logits(PROBABILITY, one(0, 1))).all()


def test_an_sqnr_is_that_of_the_logit_and_sees_an_offset() -> None:
    """Centred over the images, a shift of all of them would be no error, and it changes answers."""
    true, moved = (centred_scores(LOGIT, values) for values in (SPREAD, SPREAD + 1))
    measured = sqnr_db(float((true**2).sum()), float(((true - moved) ** 2).sum()))
    assert measured == pytest.approx(sqnr_db(float((SPREAD**2).sum()), float(len(SPREAD))))
    assert not (centred_scores(CLASSES, np.ones((2, 3))) != 0).any()


@pytest.mark.parametrize(("output", "other"), [("logits", "probabilities"), ("probabilities", "logits")])
def test_a_threshold_moves_along_to_the_other_kind(output: Output, other: Output) -> None:
    assert of_output(Head.binary(output), other) == Head.binary(other)
    assert of_output(Head.of_classes(4, output), other) == Head.of_classes(4, other)
    moved = of_output(Head.binary(output, 0.2), other)
    back = of_output(moved, output)
    assert (moved.output, back.output) == (other, output)
    assert back.threshold == pytest.approx(0.2)


def test_odds_and_sigmoid_undo_each_other() -> None:
    np.testing.assert_allclose(log_odds(sigmoid(SPREAD[100:141])), SPREAD[100:141], atol=1e-9)


LABELS, ODDS = Head.multilabel(3, "probabilities", (0.5, 0.2, 0.9)), Head.multilabel(3, "logits")


def test_of_several_labels_each_is_held_against_its_own_threshold() -> None:
    outputs = np.asarray([[0.5, 0.21, 0.95], [0.6, 0.2, 0.9]], np.float32)
    assert answers(LABELS, outputs).tolist() == [[0, 1, 1], [1, 0, 0]]
    same = np.asarray([[0, 1, 1], [1, 0, 1]])
    assert changed(answers(LABELS, outputs), same).tolist() == [False, True]
    assert right(LABELS, answers(LABELS, outputs), same).tolist() == [True, False]


def test_the_margin_of_labels_is_the_distance_of_the_closest_logit_from_its_threshold() -> None:
    outputs = np.asarray([[3.0, -0.5, 2.0]], np.float32)
    assert margins(ODDS, outputs) == pytest.approx([0.5])
    moved = Head.multilabel(3, "logits", (2.9, 0, 0))
    assert margins(moved, outputs) == pytest.approx([0.1], abs=1e-6)


def test_thresholds_of_labels_move_to_logits_and_back() -> None:
    there = of_output(LABELS, "logits")
    assert there.thresholds == pytest.approx((0, np.log(0.25), np.log(9)))
    assert of_output(there, "probabilities").thresholds == pytest.approx(LABELS.thresholds)
    outputs = np.random.default_rng(0).uniform(0.01, 0.99, (50, 3))
    np.testing.assert_array_equal(answers(LABELS, outputs), answers(there, log_odds(outputs)))


def test_the_scores_of_labels_are_those_of_as_many_binary_heads() -> None:
    values = np.random.default_rng(1).normal(0, 3, (20, 3))
    halves = centred_scores(ODDS, values)
    for label in range(3):
        np.testing.assert_allclose(
            halves[:, label], centred_scores(LOGIT, values[:, label : label + 1])[:, 1]
        )


def test_the_answer_of_an_embedding_is_its_neighbour_and_right_where_that_has_its_label() -> None:
    head, outputs = Head.embedding(2), np.asarray([[1, 0], [1, 0.1], [0, 1], [0.05, 1]], np.float32)
    assert answers(head, outputs).tolist() == [1, 0, 3, 2]
    assert right(head, answers(head, outputs), np.asarray([5, 5, 1, 2])).tolist() == [
        True,
        True,
        False,
        False,
    ]
    np.testing.assert_array_equal(centred_scores(head, outputs), outputs)
    assert of_output(head, "logits") is head


def test_images_are_grouped_by_what_they_are() -> None:
    several = np.asarray([[1, 0], [0, 1], [1, 0]])
    first, second, third = grouped(Head.multilabel(2, "logits"), several, None)
    assert (first == third, first == second) == (True, False)
    assert grouped(Head.embedding(4), np.asarray([1, 0]), np.asarray([7, 8])).tolist() == [7, 8]
    assert grouped(Head.embedding(4), np.asarray([1, 0]), None).tolist() == [0, 0]
    assert grouped(CLASSES, np.asarray([2, 1]), None).tolist() == [2, 1]
