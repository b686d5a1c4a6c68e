"""Tests of searching.request."""

from __future__ import annotations

from resnet_edge.searching.request import SearchLimits


def test_limits_are_known_by_name_where_there_are_any() -> None:
    assert SearchLimits().given() == {}
    assert SearchLimits(max_drop_pp=0.0, max_size=300_000).given() == {
        "max_drop_pp": 0.0,
        "max_size": 300_000.0,
    }
