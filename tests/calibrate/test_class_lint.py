"""Tests of calibrate.class_lint."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.calibrate.class_lint import ENOUGH, classes
from resnet_edge.core.results.calibration_lint import LintFinding


def class_findings(
    labels: list[int] | None, count: int, against: list[int] | None = None
) -> list[LintFinding]:
    arrays = (None if each is None else np.array(each, np.int64) for each in (labels, against))
    ours, theirs = arrays
    return [*classes(ours, theirs, count, "their labels")]


def test_as_many_of_each_is_what_is_wanted() -> None:
    assert class_findings([*range(10)] * ENOUGH, 10) == []


def test_unknown_classes_are_a_note_with_the_way_out() -> None:
    (one,) = class_findings(None, 10)
    assert (one.severity, one.sentence.endswith("as one folder per class")) == ("note", True)


@pytest.mark.parametrize(
    ("missing", "severity", "text"),
    [([3], "warning", "(class 3)"), ([0, 1, 2, 3, 4, 5, 6], "warning", "(class 0, 1, 2, 3, 4, ...)")],
)
def test_classes_without_an_image(missing: list[int], severity: str, text: str) -> None:
    one, *_ = class_findings([label for label in range(10) if label not in missing] * 20, 10)
    assert (one.severity, text in one.sentence) == (severity, True)
    assert one.sentence.startswith(f"{len(missing)} of 10 classes have no calibration image by their labels ")
    assert one.figures == {"missing_classes": len(missing), "classes": 10}


def test_one_class_of_many_is_no_more_than_a_note() -> None:
    (one,) = class_findings([*range(1, 100)] * 2, 100)
    assert one.severity == "note"


def test_fewer_images_than_classes_are_told_so() -> None:
    one, *_ = class_findings([0, 1, 2], 10)
    assert "have no calibration image by their labels, in 3 images (class 3, " in one.sentence


def test_too_many_of_one_class() -> None:
    missing, unbalanced = class_findings([7] * 80 + [1] * 20, 10)
    assert missing.figures["missing_classes"] == 8
    assert unbalanced.sentence.startswith(
        "80% of the calibration images are of class 7 by their labels, and "
    )
    assert unbalanced.figures["unbalanced"] == pytest.approx(0.8)


def test_shares_are_held_against_those_of_the_proof() -> None:
    """Where the app sees mostly one class, so should the calibration."""
    mostly_one = [0] * 91 + [*range(1, 10)]
    assert [one.severity for one in class_findings(mostly_one, 10)] == ["warning"]
    assert class_findings(mostly_one, 10, against=mostly_one) == []
    (one,) = class_findings([*range(10)] * 10, 10, against=mostly_one)
    assert "would have to be of other classes to be as the proof's are" in one.sentence


def test_of_few_images_the_shares_are_luck() -> None:
    assert [one.figures["missing_classes"] for one in class_findings([0] * (ENOUGH * 10 - 1), 10)] == [9]
