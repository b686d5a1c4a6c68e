"""Tests of workers.progress."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.workers.progress import Progress, tracked


@given(total=st.integers(0, 2500))
def test_every_item_comes_and_it_is_told_about_a_hundred_times(total: int) -> None:
    reports: list[Progress] = []
    assert [*tracked(range(total), "count", total, reports.append)] == [*range(total)]
    done = [news.done for news in reports]
    assert done == sorted(set(done))
    assert (done[0], done[-1]) == (0, total)
    assert len(reports) <= 202  # the stride is rounded down
    assert {(news.step, news.total) for news in reports} == {("count", total)}


def test_who_stops_early_has_told_no_more() -> None:
    reports: list[Progress] = []
    for item in tracked(range(10), "count", 10, reports.append):
        if item == 3:
            break
    assert [news.done for news in reports] == [0, 1, 2, 3]


def test_an_item_that_breaks_is_not_told_as_done() -> None:
    reports: list[Progress] = []
    with pytest.raises(ZeroDivisionError):
        [*tracked((1 / (2 - n) for n in range(4)), "count", 4, reports.append)]
    assert reports[-1].done == 2
