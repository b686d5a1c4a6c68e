"""The picture: what is drawn, where labels stand, and what happens at the edges."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.report.charts.accuracy_latency import chart
from resnet_edge.report.charts.scatter_plot import NARROW, WIDE, Size, picture


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_measured_row_is_one_marker(any_report: Report, size: Size) -> None:
    plot = chart(any_report)
    if plot is None:
        assert not any_report.artifacts
        return
    svg = ET.fromstring(picture(plot, size, "plot"))
    assert len(svg.findall("g/title")) == len(plot.points)
    assert len(plot.points) + len(plot.left_out) == len(any_report.artifacts)
    x, y, width, height = (float(value) for value in svg.attrib["viewBox"].split())
    for text in svg.iter("text"):
        assert x <= float(text.attrib["x"]) <= width
        assert y <= float(text.attrib["y"]) <= height


def test_every_point_of_an_ordinary_run_is_labelled(ordinary: Report) -> None:
    plot = chart(ordinary)
    assert plot is not None
    for size in (WIDE, NARROW):
        svg = ET.fromstring(picture(plot, size, "plot"))
        labels = sorted(text.text or "" for text in svg.iter("text") if text.get("class") == "label")
        assert labels == sorted(a.file.removeprefix("resnet20.") for a in ordinary.artifacts)


def test_a_collapse_does_not_flatten_the_others(troubled: Report) -> None:
    plot = chart(troubled)
    assert plot is not None
    svg = picture(plot, WIDE, "plot")
    assert "↓ 10.0 %" in svg
    assert ">93.6<" in svg
    assert ">50<" not in svg
