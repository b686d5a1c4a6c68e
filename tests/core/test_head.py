"""Heads of classifiers."""

from __future__ import annotations

import pytest

from resnet_edge.core.head import Head, Output
from tests.core.test_answers import CLASSES, LOGIT, PROBABILITY


def test_the_rule_is_told_in_words() -> None:
    assert CLASSES.rule == "the class with the largest of 3 logits"
    assert (
        Head.binary("probabilities", 0.3).rule == "class 1 where its probability is above 0.3, else class 0"
    )
    assert (PROBABILITY.outputs, PROBABILITY.classes, CLASSES.outputs) == (1, 2, 3)
    assert Head.of_outputs(1, "logits") == LOGIT


@pytest.mark.parametrize(("output", "usual"), [("probabilities", 0.5), ("logits", 0.0)])
def test_a_threshold_that_is_zero_is_one(output: Output, usual: float) -> None:
    assert Head.binary(output).threshold == usual
    assert Head.binary(output, 0.0).threshold == 0.0


def test_a_file_of_which_no_more_is_known_is_taken_by_its_outputs() -> None:
    assert Head.of_outputs(1, "probabilities") == Head.binary("probabilities")
    assert Head.of_outputs(2, "logits") == Head.of_classes(2, "logits")


def test_several_labels_have_the_usual_threshold_or_their_own() -> None:
    head = Head.multilabel(3, "logits")
    assert (head.outputs, head.classes, head.thresholds, head.separate) == (3, 3, (0.0, 0.0, 0.0), True)
    assert Head.multilabel(2, "probabilities").rule == "each of 2 labels where its probability is above 0.5"
    own = Head.multilabel(2, "probabilities", (0.1, 0.7))
    assert (own.own_thresholds, own.rule) == (
        (0.1, 0.7),
        "each of 2 labels where its probability is above its own threshold",
    )


def test_an_embedding_has_numbers_and_no_classes() -> None:
    head = Head.embedding(128)
    assert (head.outputs, head.classes, head.output, head.separate) == (128, 0, "embedding", False)
    assert head.own_thresholds == ()
    assert "embedding (128 numbers)" in head.rule
