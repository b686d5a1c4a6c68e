"""evaluation/classes.py, against counts that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.evaluation.classes import at_least, worst_class


def scores(answers: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[answers]


@pytest.mark.parametrize(
    ("count", "n", "chance"), [(0, 0, 1.0), (1, 1, 0.5), (3, 4, 5 / 16), (10, 10, 2.0**-10), (5, 5, 1 / 32)]
)
def test_a_fair_coin(count: int, n: int, chance: float) -> None:
    assert at_least(count, n) == pytest.approx(chance)


def test_many_throws_neither_overflow_nor_vanish() -> None:
    assert 0 < at_least(60_000, 100_000) < 1e-300 or at_least(60_000, 100_000) == 0.0
    assert at_least(50_000, 100_000) == pytest.approx(0.5, abs=0.01)


def test_the_class_that_loses_beyond_chance_is_named() -> None:
    labels = np.repeat(np.arange(4), 50)
    reference = labels.copy()
    ours = labels.copy()
    ours[100:110] = 0  # ten of class 2 are lost
    ours[0] = 1  # and one of class 0
    worst = worst_class(scores(reference, 4), scores(ours, 4), labels, Head.of_classes(4, "logits"))
    assert worst is not None
    assert (worst.label, worst.n, worst.lost, worst.gained, worst.drop_pp) == (2, 50, 10, 0, 20.0)
    assert worst.p_adjusted == pytest.approx(4 * 2.0**-10)
    again = worst_class(scores(reference, 4), scores(ours, 4), labels, Head.of_classes(4, "logits"), looks=3)
    assert again is not None
    assert again.p_adjusted == pytest.approx(3 * worst.p_adjusted)


def test_all_classes_that_were_looked_at_count() -> None:
    labels = np.repeat(np.arange(8), 10)
    ours = labels.copy()
    ours[:2] = 1
    worst = worst_class(scores(labels, 8), scores(ours, 8), labels, Head.of_classes(8, "logits"))
    assert worst is not None
    assert worst.p_adjusted == 1.0  # 8 x 1/4 is no probability


def test_nothing_is_said_where_no_class_loses() -> None:
    labels = np.repeat(np.arange(3), 5)
    worse = labels.copy()
    worse[0] = 2
    assert worst_class(scores(worse, 3), scores(labels, 3), labels, Head.of_classes(3, "logits")) is None
