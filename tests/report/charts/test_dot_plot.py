"""Rows on one scale: what is drawn, and when the scale is logarithmic."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from resnet_edge.report.charts.bench_chart import Palette, latency_plot, limit_plot
from resnet_edge.report.charts.dot_plot import NARROW, WIDE, PlotSize, draw
from tests.report.benches import BENCHES, ordinary


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("name", BENCHES)
def test_every_row_is_drawn_within_the_picture(name: str, size: PlotSize) -> None:
    bench = BENCHES[name]()
    plot = latency_plot(bench.rows, "", Palette(bench.rows))
    svg = ET.fromstring(draw(plot, size, "plot"))
    assert len(svg.findall("g/title")) == len(bench.rows)
    _, _, width, height = (float(value) for value in svg.attrib["viewBox"].split())
    for text in svg.iter("text"):
        assert 0 <= float(text.attrib["x"]) <= width
        assert 0 <= float(text.attrib["y"]) <= height


def test_a_large_spread_makes_the_scale_logarithmic_and_a_small_one_begins_at_zero() -> None:
    rows = ordinary().rows
    assert "(log scale)" in draw(latency_plot(rows, "", Palette(rows)), WIDE, "plot")
    near = draw(latency_plot(rows[:3], "", Palette(rows)), WIDE, "plot")
    assert "(log scale)" not in near
    assert ">0<" in near


def test_the_limit_is_drawn_and_a_bar_may_reach_it() -> None:
    rows = ordinary().rows
    plot = limit_plot(rows, "", Palette(rows))
    assert plot is not None
    assert [row.at for row in plot.rows] == pytest.approx([101, 66, 50])
    assert 'class="permitted"' in draw(plot, WIDE, "plot")
    assert limit_plot(rows[3:], "", Palette(rows)) is None
