"""Errors from layer to layer: every point lies in the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from resnet_edge.core.results.error_growth import ErrorGrowth, LayerError
from resnet_edge.report.charts import line_plot

STEADY = tuple(
    LayerError(f"net/layer{n}/conv", 40.0 - 0.5 * n, None if n == 0 else 40.5 - 0.5 * n, 0.3)
    for n in range(12)
)


@pytest.mark.parametrize(
    "layers", [STEADY[:1], STEADY[:2], STEADY * 20, (LayerError("a", 200.0, None, None),)]
)
def test_every_point_lies_in_the_picture(layers: tuple[LayerError, ...]) -> None:
    drawn = line_plot.both([ErrorGrowth("net.tflite", 16, layers)], ["c0"])
    wide, narrow, _ = drawn.split("</svg>")
    for text in (wide, narrow):
        svg = ET.fromstring(text + "</svg>")
        _, _, width, height = (float(value) for value in svg.attrib["viewBox"].split())
        dots = [*svg.iter("circle")]
        assert len(dots) == len(layers)
        for dot in dots:
            assert 0 < float(dot.attrib["cx"]) < width
            assert 0 < float(dot.attrib["cy"]) < height
        assert len([*svg.iter("text")]) < 30


def drawn(*layers: LayerError) -> ET.Element:
    """The wide picture of one artifact."""
    text = line_plot.both([ErrorGrowth("net.tflite", 16, layers)], ["c3"])
    return ET.fromstring(text.split("</svg>")[0] + "</svg>")


def test_the_line_breaks_where_a_layer_has_no_number() -> None:
    whole = [*drawn(*STEADY).iter("line")]
    broken = drawn(*STEADY[:3], LayerError("net/lost/conv", None, 38.0, None), *STEADY[4:])
    assert len(whole) - len([*broken.iter("line")]) == 2
    assert len(broken.findall("g/title")) == len(STEADY) - 1


def test_the_layer_that_falls_most_is_hollow() -> None:
    svg = drawn(*STEADY[:5], LayerError("net/bad/conv", 31.0, 38.0, 7.25), *STEADY[6:])
    hollow = [group for group in svg.findall("g") if "hollow" in ET.tostring(group, "unicode")]
    assert ["bad" in (group.findtext("title") or "") for group in hollow] == [True]


def test_without_a_number_there_is_no_picture() -> None:
    assert line_plot.both([ErrorGrowth("net.tflite", 16, (LayerError("a", None, 3.0, None),))], ["c0"]) == ""
    assert line_plot.both([], []) == ""
