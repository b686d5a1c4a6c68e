"""Tests of report.charts.svg: well-formed, whatever the words."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from resnet_edge.report.charts import svg
from tests.report.conftest import EVIL


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (3.04, "3"), (3.06, "3.1"), (-0.26, "-0.3"), (1234.56, "1234.6"), (10, "10")],
)
def test_coordinates_are_short(value: float, text: str) -> None:
    assert svg.number(value) == text


def test_words_from_outside_are_words() -> None:
    parts = [svg.text("label", 1, 2, EVIL, "end"), svg.titled(EVIL, svg.line("grid", 0, 0, 1, 1))]
    picture = ET.fromstring(svg.drawing("plot", 10, 20, EVIL, parts))
    assert picture.attrib["aria-label"] == EVIL
    assert [picture.findtext("text"), picture.findtext("g/title")] == [EVIL, EVIL]
    assert {element.tag for element in picture.iter()} == {"svg", "text", "g", "title", "line"}


def test_a_bar_of_nothing_is_seen() -> None:
    assert float(ET.fromstring(svg.rect("bar", 0, 0, 0.0, 5)).attrib["width"]) > 0


def test_shapes_and_colours_come_round_again() -> None:
    shapes = [svg.marker(shape, 5, 5, "mark") for shape in range(12)]
    assert len(set(shapes)) == 6
    assert shapes[:6] == shapes[6:]
    assert svg.colour(0) == svg.colour(svg.COLOURS) == "c0"
    for shape in shapes:
        ET.fromstring(shape)


@pytest.mark.parametrize("key", [svg.legend_marker(3), svg.legend_line(), svg.legend_band()])
def test_keys_of_legends_are_for_the_eye_alone(key: str) -> None:
    assert ET.fromstring(key).attrib["aria-hidden"] == "true"
