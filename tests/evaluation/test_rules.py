"""evaluation/rules.py: verdicts that are asked for several times."""

from __future__ import annotations

import pytest

from resnet_edge.core.proportion import Z95
from resnet_edge.core.sequential import quantile, quantile_to_fail
from resnet_edge.evaluation.rules import on_agreement, on_drop

EARLY, LAST = quantile_to_fail(4, early=True), quantile_to_fail(4, early=False)


@pytest.mark.parametrize(
    ("lost", "once", "early", "last"),
    [
        (0, "pass", "pass", "pass"),
        (1, "pass", "inconclusive", "inconclusive"),
        (12, "fail", "inconclusive", "inconclusive"),
        (14, "fail", "inconclusive", "fail"),
        (18, "fail", "fail", "fail"),
    ],
)
def test_early_looks_take_more_to_decide(lost: int, once: str, early: str, last: str) -> None:
    n, limit, z = 1242, 0.5, quantile(4)
    assert on_drop(n, lost, 0, limit).verdict == once
    assert on_drop(n, lost, 0, limit, z, EARLY).verdict == early
    assert on_drop(n, lost, 0, limit, z, LAST).verdict == last
    assert on_agreement(n, lost, limit).verdict == once
    assert on_agreement(n, lost, limit, z, EARLY).verdict == early
    assert on_agreement(n, lost, limit, z, LAST).verdict == last


def test_one_look_is_as_ever() -> None:
    assert quantile(1) == quantile_to_fail(1, early=False) == Z95


def test_more_images_are_asked_for_by_the_same_interval() -> None:
    once, several = on_drop(1242, 3, 1, 0.5), on_drop(1242, 3, 1, 0.5, quantile(4), EARLY)
    assert once.samples_needed is not None
    assert several.samples_needed is not None
    assert several.samples_needed > once.samples_needed
