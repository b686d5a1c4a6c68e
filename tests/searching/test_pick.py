"""One point of a frontier by a rule."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import OutOfReach, UnknownName, UsageError
from resnet_edge.searching.pick import pick_rule, picked
from tests.report.searches import POINTS, point


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        ("accuracy", 3),
        ("drop", 3),
        ("latency", 26),
        ("drop<=0.6,latency", 14),  # whose drop is 0.31, and up to 0.55
        ("drop<=0.5,latency", 8),
        ("drop <= 0.6 pp , size", 14),
        ("latency<=0.5ms,accuracy", 21),
        ("latency<=0.0005s,accuracy", 21),
        ("size<=250kB,drop", 14),
        ("download<=0.12MB,top1", 21),
        ("top1>=0.9,size", 26),
        ("top1>=93%,size", 14),
        ("drop≤0.6,size≤210kB,latency", 14),
    ],
)
def test_the_point_that_is_best_of_those_within_the_limits(rule: str, number: int) -> None:
    assert picked(pick_rule(rule), POINTS).number == number


def test_intervals_decide_and_not_the_middle() -> None:
    """A point that is faster by its median may be slower for all that is known."""
    sure = point(1, 0.1, 1.00, 100, p50_ci95_ms=(0.99, 1.01))
    unsure = point(2, 0.1, 0.98, 100, p50_ci95_ms=(0.5, 1.4))
    assert picked(pick_rule("latency"), [sure, unsure]).number == 1


def test_of_equals_the_more_accurate_and_then_the_first() -> None:
    worse, better, later = point(1, 0.3, 1.0, 100), point(2, 0.1, 1.0, 100), point(3, 0.1, 1.0, 100)
    assert picked(pick_rule("size"), [worse, later, better]).number == 2


def test_where_none_meets_the_limits_the_nearest_is_named() -> None:
    with pytest.raises(OutOfReach) as caught:
        picked(pick_rule("drop<=0.5,latency<=0.6ms,size"), POINTS)
    assert str(caught.value) == (
        "no point has drop<=0.5 and latency<=0.6ms for sure, by its 95 % intervals; the nearest is point 14, "
        "with drop up to 0.55 pp, latency up to 0.628 ms"
    )


def test_a_drop_of_nothing_at_all_has_a_nearest_point_too() -> None:
    with pytest.raises(OutOfReach, match="the nearest is point 3, with drop up to 0.20 pp"):
        picked(pick_rule("drop<=0,size"), POINTS)


def test_an_empty_frontier() -> None:
    with pytest.raises(OutOfReach, match="the frontier is empty; search with wider limits"):
        picked(pick_rule("drop<=1,size"), [])
    with pytest.raises(OutOfReach, match="the frontier is empty; search with wider limits"):
        picked(pick_rule("size"), [])


def test_what_was_not_measured_cannot_decide() -> None:
    untimed = point(4, 0.1, None, 100)
    with pytest.raises(UsageError, match="latency says nothing of point 4: this search measured none"):
        picked(pick_rule("latency"), [untimed])
    unlabelled = point(5, 0.1, None, 100, top1=None, top1_ci95=None)
    with pytest.raises(UsageError, match="top1 says nothing of point 5: the images have no labels"):
        picked(pick_rule("top1>=0.9,size"), [unlabelled])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", "is no rule: give limits with commas between them"),
        ("drop<=1,,size", "is no rule"),
        ("drop<=1", "names nothing to be best in; name exactly one"),
        ("size,latency", "names several things: size, latency"),
        ("drop<=1,drop<=2,size", "limits drop twice: give one limit for each"),
        ("drop<1,size", "'drop<1': write drop<=1"),
        ("drop>=1,size", "'drop>=1': write drop<=1"),
        ("top1<=0.9,size", "'top1<=0.9': write top1>=0.9"),
        ("drop=1,size", "'drop=1': write drop<=1"),
        ("drop<=,size", "'drop<=': '' is no number"),
        ("drop<=much,size", "'drop<=much': 'much' is no number"),
        ("latency<=3,size", "'latency<=3': '3' is no time: give a time, as in 3ms"),
        ("size<=big,size", "'size<=big': 'big' is no size"),
        ("top1>=90,size", "is above 1: top1 is a fraction, as 0.9, or 90%"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_way_out(rule: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        pick_rule(rule)
    assert message in str(caught.value)


@pytest.mark.parametrize("rule", ["speed", "acuracy", "latnecy<=3ms,size"])
def test_a_name_that_is_none_is_answered_with_those_that_are(rule: str) -> None:
    with pytest.raises(UnknownName, match="choose from: "):
        pick_rule(rule)
