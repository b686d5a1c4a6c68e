"""Tests of evaluation.sanity: outputs from which nothing can be concluded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.evaluation.sanity import BLOCK, HANDFUL, examine, one_class

HEAD = Head.of_classes(4, "logits")
BINARY = Head.binary("probabilities")
GOOD = np.random.default_rng(0).normal(0, 3, (60, 4)).astype(np.float32)


def changed(**rows: Any) -> NDArray[np.float32]:
    """GOOD with another value in one place."""
    scores = GOOD.copy()
    scores[17, 2] = rows["value"]
    return scores


def test_good_outputs_give_no_reason() -> None:
    assert examine(GOOD, GOOD + np.float32(0.01), HEAD) is None
    binary = np.linspace(0, 1, 60, dtype=np.float32)[:, None]
    assert examine(binary, binary, BINARY) is None


def test_no_image_proves_nothing() -> None:
    finding = examine(GOOD[:0], GOOD[:0], HEAD)
    assert finding is not None
    assert (finding.verdict, finding.reason) == (
        "inconclusive",
        "no image was compared, and so nothing is proved",
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_no_number_fails(value: float) -> None:
    for pair, whose in (
        ((changed(value=value), GOOD), "reference"),
        ((GOOD, changed(value=value)), "artifact"),
    ):
        finding = examine(*pair, HEAD)
        assert finding is not None
        assert (finding.verdict, finding.reason) == (
            "fail",
            f"the {whose} gives NaN or Inf on 1 of 60 images, first on image 17",
        )


ONE_CLASS = GOOD + np.array([0, 99, 0, 0], np.float32)
FEW_VALUES = np.eye(4, dtype=np.float32)[np.arange(60) % 4]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (np.ones_like(GOOD), "the reference gives one and the same output for every image: nothing can be"),
        (ONE_CLASS, "the reference predicts one class only: nothing can be proved; give more and different"),
        (FEW_VALUES, "the reference's outputs have 2 distinct values"),
    ],
)
def test_a_reference_that_tells_nothing_apart_proves_nothing_good_or_bad(
    reference: NDArray[np.float32], words: str
) -> None:
    for candidate in (reference, GOOD, np.zeros_like(GOOD)):
        finding = examine(reference, candidate, HEAD)
        assert finding is not None
        assert finding.verdict == "inconclusive"
        assert finding.reason.startswith(words)


@pytest.mark.parametrize(
    ("candidate", "verdict", "words"),
    [
        (np.zeros_like(GOOD), "fail", "the artifact gives one and the same output for every image"),
        (
            GOOD[:, :1].repeat(4, axis=1),
            "fail",
            "the artifact gives every class the same score on every image",
        ),
        (ONE_CLASS, "fail", "the artifact predicts class 1 only, the reference another one on"),
        (FEW_VALUES, "inconclusive", "the outputs have only 2 distinct values: export logits"),
    ],
)
def test_a_candidate_that_broke_is_no_agreement(
    candidate: NDArray[np.float32], verdict: str, words: str
) -> None:
    finding = examine(GOOD, candidate, HEAD)
    assert finding is not None
    assert finding.verdict == verdict
    assert finding.reason.startswith(words)


def test_classes_are_called_by_their_names() -> None:
    names = ("ant", "bee", "cat", "dog")
    for finding in (
        examine(GOOD, ONE_CLASS, HEAD, names),
        one_class(ONE_CLASS, None, HEAD, names),
        one_class(GOOD, np.full(60, 1), HEAD, names),
    ):
        assert finding is not None
        assert "'bee'" in finding.reason


def test_one_score_that_says_everything_is_not_the_same_score_for_every_class() -> None:
    """With one output the only column is equal to itself."""
    reference = np.linspace(0, 1, 60, dtype=np.float32)[:, None]
    assert examine(reference, reference * np.float32(0.99), BINARY) is None
    finding = examine(reference, reference / np.float32(4), BINARY)
    assert finding is not None
    assert finding.reason == "the artifact predicts class 0 only, the reference another one on 30 images"


@pytest.mark.parametrize("others", [HANDFUL - 1, HANDFUL])
def test_a_handful_of_other_answers_is_no_accident(others: int) -> None:
    reference = np.where(np.arange(60)[:, None] < others, GOOD, ONE_CLASS).astype(np.float32)
    reference[:others, 1] = -99
    finding = examine(reference, ONE_CLASS, HEAD)
    assert (finding is not None) == (others >= HANDFUL)


def test_distinct_values_are_looked_for_in_every_block() -> None:
    """The first thousand images may be alike."""
    alike = np.concatenate([FEW_VALUES[np.arange(BLOCK) % 60], GOOD])
    assert examine(alike, alike, HEAD) is None


def test_images_of_one_class_cannot_show_what_is_wrong_with_the_others() -> None:
    finding = one_class(GOOD, np.full(60, 2), HEAD)
    assert finding is not None
    assert finding.verdict == "inconclusive"
    assert finding.reason.startswith("all images are labelled 2, and nothing is proved of the other classes")
    assert one_class(ONE_CLASS, np.arange(60) % 2, HEAD) is None, "the labels count where there are some"


@pytest.mark.parametrize("others", [0, HANDFUL - 1, HANDFUL])
def test_without_labels_the_reference_tells_the_classes(others: int) -> None:
    reference = np.tile(np.array([0, 9, 0, 0], np.float32), (60, 1))
    reference[:others] = (9, 0, 0, 0)
    finding = one_class(reference, None, HEAD)
    assert (finding is not None) == (others < HANDFUL)
    if finding is not None:
        assert finding.reason.startswith(f"the reference sees class 1 on all images but {others}, ")


def test_of_fewer_images_than_a_handful_nothing_is_said() -> None:
    assert one_class(ONE_CLASS[: HANDFUL - 1], None, HEAD) is None
