"""What the pictures of a bench show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.results.bench import Accuracy
from resnet_edge.report.charts import bench_chart
from resnet_edge.report.charts.bench_chart import Palette, accuracy_chart, latency_plot, limit_plot
from tests.report.benches import BENCHES, ordinary
from tests.report.conftest import proof


def test_the_fastest_is_on_top_and_what_is_unsure_is_hollow() -> None:
    bench = BENCHES["troubled"]()
    plot = latency_plot(bench.rows, "", Palette(bench.rows)).rows
    assert [row.at for row in plot] == sorted(row.at for row in plot)
    assert all(row.hollow and row.more.endswith("?") for row in plot)
    assert not any(row.hollow for row in latency_plot(ordinary().rows, "", Palette(ordinary().rows)).rows)


def test_the_nearest_to_its_limit_is_on_top_and_what_has_none_is_left_out() -> None:
    rows = ordinary().rows
    plot = limit_plot(rows, "resnet20", Palette(rows))
    assert plot is not None
    assert [row.name for row in plot.rows] == ["int8.onnx", "int8.tflite", "fp32.tflite"]
    assert [row.at for row in plot.rows] == pytest.approx([101, 66, 50])
    assert limit_plot(rows[3:], "", Palette(rows)) is None


def test_a_scheme_has_one_colour_and_a_place_one_shape_in_every_picture() -> None:
    rows = ordinary().rows
    palette = Palette(rows)
    assert len({palette.colour(row) for row in rows}) == len({row.scheme for row in rows}) == 3
    assert len({palette.shape(row) for row in rows}) == len({row.backend for row in rows}) == 2
    colours = {row.name: row.colour for row in latency_plot(rows, "resnet20", palette).rows}
    assert colours["int8.onnx"] == colours["int8.tflite"] != colours["fp32.tflite"]


def test_a_proof_counts_only_where_the_same_backend_ran() -> None:
    bench = ordinary()
    elsewhere = proof("resnet20.int8.tflite", backend="openvino")
    chart = accuracy_chart(replace(bench, accuracy=Accuracy((elsewhere, proof("resnet20.int8.onnx")))), "")
    assert chart is not None
    assert [point.detail.partition(",")[0] for point in chart.points] == [
        "resnet20.int8.onnx on onnxruntime cpu"
    ]
    assert "resnet20.int8.tflite (litert cpu)" in chart.left_out
    assert chart.permitted is None
    assert accuracy_chart(replace(bench, accuracy=Accuracy()), "") is None


def test_accuracies_on_several_numbers_of_images_are_told_as_a_range() -> None:
    bench = ordinary()
    rows = (proof("a.int8.onnx"), replace(proof("b.int8.onnx"), n=500))
    assert bench_chart.tested_on(replace(bench, accuracy=Accuracy(rows))) == "500 to 10,000 images"
    assert bench_chart.tested_on(replace(bench, accuracy=Accuracy(rows[:1]))) == "10,000 images"
    assert bench_chart.tested_on(replace(bench, accuracy=Accuracy())) == "0 images"
