"""Bars of layers: as long as their times."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from resnet_edge.report.charts import layer_bars
from resnet_edge.report.charts.bench_layers import (
    LayerRow,
)
from resnet_edge.report.charts.layer_bars import Column, LayerBars


def bars_of(svg: str) -> dict[str, float]:
    """The width of every bar by what is told of it."""
    widths = {}
    for group in ET.fromstring(svg).findall("g"):
        title, rect = group.find("title"), group.find("rect")
        assert title is not None
        assert rect is not None
        widths[title.text or ""] = float(rect.attrib["width"])
    return widths


@pytest.mark.parametrize("draw", [layer_bars.wide, layer_bars.narrow])
def test_bars_are_as_long_as_their_times_and_a_slow_artifact_does_not_flatten_the_others(
    draw: object,
) -> None:
    columns = tuple(Column(name, "cpu", f"c{n}") for n, name in enumerate("abc"))
    bars = LayerBars(columns, (LayerRow("x", 1, (40.0, 20.0, 9000.0)), LayerRow("y", 1, (10.0, None, 9.0))))
    assert callable(draw)
    widths = bars_of(draw(bars))
    assert len(widths) == 5
    assert widths["x in a on cpu: 40 µs"] == pytest.approx(2 * widths["x in b on cpu: 20 µs"], abs=0.2)
    assert widths["x in c on cpu: 9000 µs"] == pytest.approx(3 * widths["x in a on cpu: 40 µs"], abs=0.3)
