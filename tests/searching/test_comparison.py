"""Tests of search.comparison: what is certain leaves, and nothing else does."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from resnet_edge.searching.comparison import (
    ComparedPoint,
    PointComparison,
    changes,
    first_that_beats,
    frontier,
    in_words,
)

BY_ALL = PointComparison(objectives=("accuracy", "latency", "size"), equal_pp=0.5, equal_latency=0.05)
N = 4000


def point(number: int, wrong: range = range(0), latency: float = 1.0, size: int = 100) -> ComparedPoint:
    """Right on all images but those of `wrong`."""
    bits = (1 << N) - 1
    for image in wrong:
        bits &= ~(1 << image)
    return ComparedPoint(
        number=number, n=N, bits=bits, latency=(0.99 * latency, 1.01 * latency), size=size, download=size
    )


def numbers(points: list[ComparedPoint]) -> set[int]:
    return {one.number for one in points}


def test_what_changes_is_counted_on_the_images_of_both() -> None:
    assert changes(0b1011, 0b1101, 4) == (1, 1)
    assert changes(0b1011, 0b1101, 2) == (1, 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "how"),
    [
        (point(0), point(1, range(200)), "better"),
        (point(0, range(200)), point(1), "worse"),
        (point(0, range(3)), point(1), "equal"),
        (point(0, range(15)), point(1), "unknown"),  # 0.38 pp, between 0.2 and 0.6
        (replace(point(0), n=0), point(1), "unknown"),
    ],
)
def test_accuracy_is_compared_image_by_image(ours: ComparedPoint, theirs: ComparedPoint, how: str) -> None:
    assert BY_ALL.relation(ours, theirs, "accuracy") == how


@pytest.mark.parametrize(
    ("ours", "how"), [(0.9, "better"), (1.0, "equal"), (1.02, "equal"), (1.05, "unknown"), (1.2, "worse")]
)
def test_latency_is_compared_by_its_intervals(ours: float, how: str) -> None:
    assert BY_ALL.relation(point(0, latency=ours), point(1), "latency") == how


def test_a_point_that_is_worse_in_one_thing_and_equal_in_all_others_leaves() -> None:
    small, large = point(0, size=50), point(1, size=100)
    assert numbers(frontier([small, large], BY_ALL)) == {0}
    assert first_that_beats(large, [large, small], BY_ALL) == small
    assert in_words(small, large, BY_ALL) == "size"


def test_a_point_of_which_it_is_not_known_stays() -> None:
    """Its accuracy may be better by more than is no difference."""
    small, large = point(0, range(15), size=50), point(1, size=100)
    assert numbers(frontier([small, large], BY_ALL)) == {0, 1}
    assert BY_ALL.undecided(small, large)
    assert not BY_ALL.undecided(large, small)


def test_what_only_a_point_beats_that_leaves_itself_stays() -> None:
    """Otherwise many small steps, each no difference, would add up."""
    chain = [point(n, range(15 * n), size=100 - 10 * n) for n in range(3)]
    comparison = replace(BY_ALL, equal_pp=0.7)
    assert comparison.beats(chain[1], chain[0])
    assert comparison.beats(chain[2], chain[1])
    assert not comparison.beats(chain[2], chain[0])
    assert numbers(frontier(chain, comparison)) == {0, 2}


def test_a_circle_stays() -> None:
    circle = [
        ComparedPoint(number=0, n=1, bits=1, latency=(1.0, 1.04), size=2),
        ComparedPoint(number=1, n=1, bits=1, latency=(1.05, 1.09), size=1),
    ]
    comparison = PointComparison(objectives=("latency", "size"), equal_pp=0.5, equal_latency=0.1)
    assert comparison.beats(circle[0], circle[1]) is False  # it is larger: sizes are exact
    by_latency = [
        ComparedPoint(number=n, n=1, bits=1, latency=((1 + n) / 10, (1 + n) / 10), size=1) for n in range(3)
    ]
    wide = PointComparison(objectives=("latency",), equal_pp=0.5, equal_latency=10.0)
    assert numbers(frontier(by_latency, wide)) == {0}


def test_of_two_that_are_alike_both_stay() -> None:
    twins = [point(0), point(1)]
    assert BY_ALL.same(*twins)
    assert numbers(frontier(twins, BY_ALL)) == {0, 1}


def test_the_true_best_is_hardly_ever_lost() -> None:
    """1,000 frontiers of points whose true accuracy is known: one that none truly beats by more than is no
    difference leaves in fewer than 1 of 20, as the intervals promise for each pair."""
    chance, lost = random.Random(1), 0
    for _ in range(200):
        true = [0.90 + chance.uniform(-0.01, 0.01) for _ in range(4)]
        points = []
        for number, share in enumerate(true):
            bits = sum(1 << image for image in range(1000) if chance.random() < share)
            points.append(ComparedPoint(number=number, n=1000, bits=bits, size=100 - number))
        stays = numbers(
            frontier(points, PointComparison(objectives=("accuracy", "size"), equal_pp=1.0, equal_latency=0))
        )
        for number in range(4):
            truly_beaten = any(other > number and true[other] > true[number] - 0.01 for other in range(4))
            lost += number not in stays and not truly_beaten
    assert lost <= 0.05 * 200
