"""What the picture of accuracy against latency shows, before a pixel of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.report.charts.accuracy_latency import chart


def test_the_whisker_is_the_drop_hung_from_the_reference(ordinary: Report) -> None:
    plot = chart(ordinary)
    assert plot is not None
    int8 = next(point for point in plot.points if point.label == "int8.tflite")
    assert int8.y == pytest.approx(94.09)
    assert int8.y_interval == pytest.approx((94.12 - 0.12, 94.12 + 0.04))
    assert plot.permitted == pytest.approx(93.62)


def test_without_latency_x_is_size_and_without_labels_y_is_agreement(unlabelled: Report) -> None:
    plot = chart(unlabelled)
    assert plot is not None
    assert (plot.x_title.split(",")[0], plot.y_title.split()[0]) == ("file size", "agreement")
    assert plot.reference is None


def test_the_reference_is_drawn_where_it_was_timed(ordinary: Report) -> None:
    keras = replace(ordinary.latency[0], artifact="resnet20.keras", backend="keras", p50_ms=20.0)
    plot = chart(replace(ordinary, latency=(*ordinary.latency, keras)))
    assert plot is not None
    assert plot.points[-1].standing == "reference"
    assert plot.points[-1].y == pytest.approx(94.12)
