"""Rows on one scale: what is drawn, and when the scale is logarithmic."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from resnet_edge.report.axes import zero_axis
from resnet_edge.report.bench_chart import Palette, latency_lanes, limit_lanes
from resnet_edge.report.lanes import NARROW, WIDE, LaneSize, draw
from tests.report.benches import BENCHES, ordinary


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("name", BENCHES)
def test_every_row_is_drawn_within_the_picture(name: str, size: LaneSize) -> None:
    found = BENCHES[name]()
    lanes = latency_lanes(found.rows, "", Palette(found.rows))
    svg = ET.fromstring(draw(lanes, size, "plot"))
    assert len(svg.findall("g/title")) == len(found.rows)
    _, _, width, height = (float(value) for value in svg.attrib["viewBox"].split())
    for text in svg.iter("text"):
        assert 0 <= float(text.attrib["x"]) <= width
        assert 0 <= float(text.attrib["y"]) <= height


def test_the_fastest_is_on_top_and_what_is_unsure_is_hollow() -> None:
    found = BENCHES["troubled"]()
    lanes = latency_lanes(found.rows, "", Palette(found.rows)).lanes
    assert [lane.at for lane in lanes] == sorted(lane.at for lane in lanes)
    assert all(lane.hollow and lane.more.endswith("?") for lane in lanes)
    assert not any(lane.hollow for lane in latency_lanes(ordinary().rows, "", Palette(ordinary().rows)).lanes)


def test_a_large_spread_makes_the_scale_logarithmic_and_a_small_one_begins_at_zero() -> None:
    rows = ordinary().rows
    assert "(log scale)" in draw(latency_lanes(rows, "", Palette(rows)), WIDE, "plot")
    near = draw(latency_lanes(rows[:3], "", Palette(rows)), WIDE, "plot")
    assert "(log scale)" not in near
    assert ">0<" in near


def test_the_limit_is_drawn_and_a_bar_may_reach_it() -> None:
    rows = ordinary().rows
    lanes = limit_lanes(rows, "", Palette(rows))
    assert lanes is not None
    assert [lane.at for lane in lanes.lanes] == pytest.approx([101, 66, 50])
    assert 'class="permitted"' in draw(lanes, WIDE, "plot")
    assert limit_lanes(rows[3:], "", Palette(rows)) is None


@pytest.mark.parametrize("most", [1e-4, 0.5, 1.0, 104.0, 3e5])
def test_zero_axis_begins_at_zero_and_holds_the_most(most: float) -> None:
    axis = zero_axis(most, 10, 110)
    assert axis.ticks[0] == 0
    assert 3 <= len(axis.ticks) <= 8
    assert axis.at(0) == 10
    assert 100 <= axis.at(most) <= 110
