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
