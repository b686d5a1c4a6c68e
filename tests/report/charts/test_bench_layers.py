"""Layers side by side: their order, what is left out, and what each reaches."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from resnet_edge.report.charts import layer_bars
from resnet_edge.report.charts.bench_layers import (
    LayerRow,
    ceiling_of,
    gmacs,
    layers,
    slowest_layers,
    watched,
)
from resnet_edge.report.charts.layer_bars import Column, LayerBars
from tests.report.benches import CEILINGS, ordinary, profile, row


def test_a_layer_of_one_artifact_alone_stands_where_it_is_executed() -> None:
    found = layers(watched(ordinary().rows))
    names = [layer.name for layer in found]
    assert names == ["(Transpose)", "stem", "block1", "extra", "logits"]
    assert found[3].microseconds == (None, 2.0, 2.0, None)
    assert found[1].microseconds[0] == 40.0


def test_what_belongs_to_no_layer_and_comes_again_does_not_turn_the_order_around() -> None:
    first = row("net.fp32.tflite", 1.0, layers={"net/a/conv": 1.0, "net/b/conv": 1.0})
    assert first.profile is not None
    again = replace(first.profile, operators=(*first.profile.operators, first.profile.operators[0]))
    second = replace(
        first, profile=replace(again, operators=(*again.operators, *profile({"z": 1}).operators))
    )
    found = layers([second])
    assert [layer.name for layer in found] == ["(Transpose)", "a", "b", "z"]
    assert found[0].microseconds == (9.0,)


def test_the_slowest_are_kept_in_order() -> None:
    found = [LayerRow(str(n), 0, (float(n % 4), None)) for n in range(8)]
    kept, more = slowest_layers(found, 3)
    assert [layer.name for layer in kept] == ["2", "3", "7"]
    assert more == 5


def test_a_rate_counts_all_images_of_a_batch() -> None:
    layer = LayerRow("a", 2_000_000, (100.0,))
    assert gmacs(layer, 100.0, 1) == pytest.approx(20)
    assert gmacs(layer, 100.0, 4) == pytest.approx(80)
    assert gmacs(layer, None, 1) is None
    assert gmacs(layer, 0.0, 1) is None
    assert gmacs(replace(layer, macs=0), 100.0, 1) is None


def test_the_ceiling_is_that_of_what_it_computes_in() -> None:
    assert ceiling_of(row("net.int8.tflite", 1.0), CEILINGS) == CEILINGS.int8_gmacs
    assert ceiling_of(row("net.fp32.tflite", 1.0), CEILINGS) == CEILINGS.float_gmacs
    assert ceiling_of(row("net.fp32.tflite", 1.0), None) is None
    mixed = row("net.int8.tflite", 1.0)
    assert mixed.roofline is not None
    work = replace(mixed.roofline.work, float_macs=1)
    assert ceiling_of(replace(mixed, roofline=replace(mixed.roofline, work=work)), CEILINGS) is None


def bars_of(svg: str) -> dict[str, float]:
    """The width of every bar by what is told of it."""
    found = {}
    for group in ET.fromstring(svg).findall("g"):
        title, rect = group.find("title"), group.find("rect")
        assert title is not None
        assert rect is not None
        found[title.text or ""] = float(rect.attrib["width"])
    return found


@pytest.mark.parametrize("draw", [layer_bars.wide, layer_bars.narrow])
def test_bars_are_as_long_as_their_times_and_a_slow_artifact_does_not_flatten_the_others(
    draw: object,
) -> None:
    columns = tuple(Column(name, "cpu", n) for n, name in enumerate("abc"))
    found = LayerBars(columns, (LayerRow("x", 1, (40.0, 20.0, 9000.0)), LayerRow("y", 1, (10.0, None, 9.0))))
    assert callable(draw)
    widths = bars_of(draw(found))
    assert len(widths) == 5
    assert widths["x in a on cpu: 40 µs"] == pytest.approx(2 * widths["x in b on cpu: 20 µs"], abs=0.2)
    assert widths["x in c on cpu: 9000 µs"] == pytest.approx(3 * widths["x in a on cpu: 40 µs"], abs=0.3)
