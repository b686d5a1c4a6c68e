"""Tests of searching.frontier: the knee; the rest is run whole by tests/cli/test_search_runs.py."""

from __future__ import annotations

import pytest

from resnet_edge.core.results.search import Configuration, FrontierPoint
from resnet_edge.searching.frontier import knee_of


def point(drop: float, p50: float | None, size: int = 1000) -> FrontierPoint:
    return FrontierPoint(
        number=0,
        folder="",
        file="",
        configuration=Configuration(scheme="int8"),
        n=100,
        top1=None,
        top1_ci95=None,
        drop_pp=drop,
        drop_ci95_pp=(drop, drop),
        p50_ms=p50,
        p50_ci95_ms=None,
        size_bytes=size,
        download_bytes=size,
        macs=None,
        parameters=1,
        verdict="pass",
    )


@pytest.mark.parametrize(
    ("points", "knee"),
    [
        ([point(4, 1), point(0.5, 2), point(0, 10)], 1),
        ([point(0, 10), point(0.5, 2), point(4, 1)], 1),  # in any order
        ([point(4, 1), point(3.9, 9), point(0, 10)], None),  # on the bad side of the line
        ([point(4, 1), point(2, 5.5), point(0, 10)], None),  # on the line
        ([point(4, 1), point(0, 10)], None),
        ([point(1, 1), point(1, 2), point(1, 3)], None),
        ([point(4, None, 100), point(0.5, None, 200), point(0, None, 1000)], 1),
        ([point(4, 1), point(1, 4), point(0.5, 2), point(0, 10)], 2),
    ],
)
def test_the_knee_is_far_from_the_line_between_the_ends(
    points: list[FrontierPoint], knee: int | None
) -> None:
    assert knee_of(points) == knee
