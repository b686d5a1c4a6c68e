"""The picture: what is drawn, where labels stand, and what happens at the edges."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.report.charts.accuracy_latency import chart
from resnet_edge.report.charts.axes import linear_axis, log_axis
from resnet_edge.report.charts.label_placement import Box, Wanted, place
from resnet_edge.report.charts.scatter_plot import NARROW, WIDE, Size, picture


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_measured_row_is_one_marker(any_report: Report, size: Size) -> None:
    found = chart(any_report)
    if found is None:
        assert not any_report.artifacts
        return
    svg = ET.fromstring(picture(found, size, "plot"))
    assert len(svg.findall("g/title")) == len(found.points)
    assert len(found.points) + len(found.left_out) == len(any_report.artifacts)
    x, y, width, height = (float(value) for value in svg.attrib["viewBox"].split())
    for text in svg.iter("text"):
        assert x <= float(text.attrib["x"]) <= width
        assert y <= float(text.attrib["y"]) <= height


def test_every_point_of_an_ordinary_run_is_labelled(ordinary: Report) -> None:
    found = chart(ordinary)
    assert found is not None
    for size in (WIDE, NARROW):
        svg = ET.fromstring(picture(found, size, "plot"))
        labels = sorted(text.text or "" for text in svg.iter("text") if text.get("class") == "label")
        assert labels == sorted(a.file.removeprefix("resnet20.") for a in ordinary.artifacts)


def test_the_whisker_is_the_drop_hung_from_the_reference(ordinary: Report) -> None:
    found = chart(ordinary)
    assert found is not None
    int8 = next(point for point in found.points if point.label == "int8.tflite")
    assert int8.y == pytest.approx(94.09)
    assert int8.y_interval == pytest.approx((94.12 - 0.12, 94.12 + 0.04))
    assert found.permitted == pytest.approx(93.62)


def test_a_collapse_does_not_flatten_the_others(troubled: Report) -> None:
    found = chart(troubled)
    assert found is not None
    svg = picture(found, WIDE, "plot")
    assert "↓ 10.0 %" in svg
    assert ">93.6<" in svg
    assert ">50<" not in svg


def test_without_latency_x_is_size_and_without_labels_y_is_agreement(unlabelled: Report) -> None:
    found = chart(unlabelled)
    assert found is not None
    assert (found.x_title.split(",")[0], found.y_title.split()[0]) == ("file size", "agreement")
    assert found.reference is None


def test_the_reference_is_drawn_where_it_was_timed(ordinary: Report) -> None:
    keras = replace(ordinary.latency[0], artifact="resnet20.keras", backend="keras", p50_ms=20.0)
    found = chart(replace(ordinary, latency=(*ordinary.latency, keras)))
    assert found is not None
    assert found.points[-1].standing == "reference"
    assert found.points[-1].y == pytest.approx(94.12)


def test_labels_overlap_neither_each_other_nor_a_marker() -> None:
    within = Box(0, 0, 400, 300)
    spots = [(60 + 9.0 * n, 150 + 5.0 * (n % 4)) for n in range(20)]
    markers = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    boxes = [box for box in place([Wanted(x, y, 70, 14) for x, y in spots], within, markers) if box]
    assert len(boxes) >= 15
    for index, box in enumerate(boxes):
        assert box.inside(within)
        assert not any(box.overlap(other) for other in (*markers, *boxes[:index]))


def test_no_room_means_no_label() -> None:
    assert place([Wanted(10, 10, 500, 14)], Box(0, 0, 100, 100), []) == [None]


@pytest.mark.parametrize("values", [[1.0], [0.5, 0.51], [0.001, 900.0], [5e-324 * 2**60, 1.0]])
def test_log_axis_holds_its_values(values: list[float]) -> None:
    axis = log_axis(values, 0, 100)
    assert all(0 < axis.at(value) < 100 for value in values)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


@pytest.mark.parametrize("values", [[100.0], [94.1, 94.12], [0.0, 100.0], [99.99, 100.0]])
def test_linear_axis_has_ticks_and_stops_at_the_most(values: list[float]) -> None:
    axis = linear_axis(values, 100, 0, most=100.0, least=0.4)
    assert 2 <= len(axis.ticks) <= 8
    assert max(axis.ticks) <= 100
    assert all(0 <= axis.at(value) <= 100 for value in values)
