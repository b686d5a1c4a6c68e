"""Tests of the section on accuracy against latency: what its legend and its caption say."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.report import Report
from resnet_edge.report.charts.accuracy_figure import accuracy_blocks, accuracy_title
from resnet_edge.report.charts.accuracy_latency import Chart, chart
from resnet_edge.report.html.page import block_html


def drawn(report: Report) -> Chart:
    plot = chart(report)
    assert plot is not None
    return plot


def figure(plot: Chart) -> str:
    """As a page has it."""
    return "".join(map(block_html, accuracy_blocks(plot, "10,000 images")))


def test_nothing_to_draw_is_no_section() -> None:
    assert accuracy_blocks(None, "no image") == []


def test_the_legend_names_what_is_drawn_and_nothing_else(ordinary: Report, troubled: Report) -> None:
    html = figure(drawn(ordinary))
    assert "Keras reference, 94.12 %" in html
    assert "permitted drop, 0.5 pp" in html
    assert "did not pass" not in html
    assert "did not pass" in figure(drawn(troubled))
    one = replace(drawn(ordinary), points=drawn(ordinary).points[:1], reference=None)
    alone = figure(one)
    assert "onnxruntime cpu</li>" not in alone
    assert "reference, " not in alone


def test_whiskers_are_explained_where_there_are_any(ordinary: Report, unlabelled: Report) -> None:
    html = figure(drawn(ordinary))
    assert "Horizontal whiskers: 95 % interval of the median latency." in html
    assert "Vertical whiskers" in html
    assert html.count("Tested on 10,000 images.") == 1
    plain = figure(drawn(unlabelled))
    assert "whiskers" not in plain
    assert accuracy_title(chart(unlabelled)) == "Accuracy against size"
    assert accuracy_title(chart(ordinary)) == "Accuracy against latency"


def test_what_is_left_out_is_named(troubled: Report) -> None:
    plot = drawn(troubled)
    assert plot.left_out
    assert "Not drawn, for want of a number: " in figure(plot)
