"""A scheme has one colour, whatever else stands on the page."""

from __future__ import annotations

import re
from dataclasses import replace

from resnet_edge.core import registry
from resnet_edge.core.results.report import Report
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.accuracy_latency import chart
from resnet_edge.report.charts.bench_chart import Palette
from resnet_edge.report.charts.scheme_colours import OTHERS, bar_styles, line_styles, scheme_colour
from tests.report.benches import ordinary as a_bench
from tests.report.rendered import page


def test_every_scheme_has_its_own_and_all_else_the_grey() -> None:
    schemes = registry.names("schemes")
    colours = [scheme_colour(scheme) for scheme in schemes]
    assert len(set(colours)) == len(schemes)
    assert OTHERS not in colours
    assert scheme_colour("reference") == scheme_colour("") == OTHERS < svg.COLOURS


def test_the_second_of_a_scheme_is_told_from_the_first() -> None:
    one, other = (svg.colour(scheme_colour(scheme)) for scheme in ("int8", "fp32"))
    assert line_styles(["int8", "fp32", "int8"]) == [one, other, f"{one} dashed"]
    assert bar_styles(["int8", "int8"]) == [one, f"{one} hollow"]


def test_all_pages_agree(ordinary: Report) -> None:
    palette = Palette(a_bench().rows)
    on_bench = {row.scheme: palette.colour(row) for row in a_bench().rows if row.scheme}
    drawn = chart(ordinary)
    some = chart(replace(ordinary, artifacts=ordinary.artifacts[3:], parity=ordinary.parity[3:], latency=()))
    assert drawn is not None
    assert some is not None
    for each in (drawn, some):
        for point in each.points:
            scheme = re.sub(r"\.?(tflite|onnx).*", "", point.label).split(".")[-1]
            assert point.colour == on_bench.get(scheme, scheme_colour(scheme))
    legend = page(ordinary)
    for scheme in drawn.schemes:
        assert f"{svg.legend_marker(css=svg.colour(scheme_colour(scheme)))}{scheme}</li>" in legend
