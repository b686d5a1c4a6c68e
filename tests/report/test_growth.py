"""Error growth in the reports: sentences, the table, the picture, and JSON without infinities."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.results.error_growth import ErrorGrowth, LayerError
from resnet_edge.core.results.report import Report
from resnet_edge.report.charts import line_plot
from resnet_edge.report.contract import encode
from resnet_edge.report.growth import growth_sentences, growth_table, worst
from tests.report.browser import PAPER, Checker, laid_out, on_paper
from tests.report.conftest import EVIL
from tests.report.rendered import markdown, page

STEADY = tuple(
    LayerError(f"net/layer{n}/conv", 40.0 - 0.5 * n, None if n == 0 else 40.5 - 0.5 * n, 0.3)
    for n in range(12)
)
FALLEN = (*STEADY[:5], LayerError("net/bad/conv", 31.04, 38.0, 7.25), *STEADY[6:])


def with_growth(report: Report, *layers_of_files: tuple[LayerError, ...]) -> Report:
    files = ("resnet20.int8.tflite", "resnet20.int16x8.tflite")
    growths = (ErrorGrowth(file, 16, layers) for file, layers in zip(files, layers_of_files, strict=False))
    return replace(report, error_growth=tuple(growths))


def test_a_sharp_fall_is_named(ordinary: Report) -> None:
    fallen, steady = growth_sentences(with_growth(ordinary, FALLEN, STEADY))
    assert fallen.endswith("the largest fall is at bad, from 38.0 dB to 31.0 dB.")
    assert fallen.startswith("resnet20.int8.tflite: 40.0 dB behind layer0, 34.5 dB at the end, on 16 images;")
    assert steady.endswith("no layer loses 3 dB of what it reads.")


def test_the_worst_five_are_those_that_add_most(ordinary: Report) -> None:
    table = growth_table(with_growth(ordinary, FALLEN))
    assert table is not None
    assert len(table.body) == 5
    assert table.body[0] == ("resnet20.int8.tflite", "bad", "38.0 dB", "31.0 dB", "7.0 dB", "7.25")
    assert worst(ErrorGrowth("x", 1, (LayerError("a", 50.0, 40.0, None),))) == []


def test_layers_without_a_finite_number_are_told_and_left_out_of_the_picture(ordinary: Report) -> None:
    broken = (*STEADY[:3], LayerError("net/lost/conv", None, 38.0, None), *STEADY[4:])
    report = with_growth(ordinary, broken)
    assert growth_sentences(report)[0].endswith("there is no finite number in lost.")
    svg = ET.fromstring(line_plot.both(report.error_growth, ["c3"]).split("</svg>")[0] + "</svg>")
    assert len(svg.findall("g/title")) == len(broken) - 1
    assert line_plot.both(with_growth(ordinary, broken[3:4]).error_growth, ["c3"]) == ""
    alone = page(with_growth(ordinary, broken[3:4]))
    assert alone.count("there is no finite number in") == 1
    assert alone.count("<svg") == page(ordinary).count("<svg")


def test_json_has_every_layer_and_nothing_that_is_not_finite(ordinary: Report) -> None:
    infinite = LayerError("net/exact/conv", math.inf, None, math.nan)
    contents = json.loads(encode(with_growth(ordinary, FALLEN, (infinite,))))
    ours, theirs = contents["error_growth"]
    assert ours["artifact"] == "resnet20.int8.tflite"
    assert (ours["n"], len(ours["layers"])) == (16, len(FALLEN))
    assert ours["layers"][5] == {"layer": "net/bad/conv", "sqnr_db": 31.04, "read_db": 38.0, "steps": 7.25}
    assert theirs["layers"][0]["sqnr_db"] is None
    assert any("error_growth" in note and "infinite" in note for note in contents["notes"])
    assert json.loads(encode(ordinary))["error_growth"] == []


def test_markdown_and_page_tell_the_same_and_names_are_text(ordinary: Report) -> None:
    evil = (LayerError(f"{EVIL}\n# no heading", 20.0, 40.0, 3.0), *FALLEN)
    report = with_growth(ordinary, evil)
    text, html = markdown(report), page(report)
    checker = Checker()
    checker.feed(html)
    assert "## Error growth per layer" in text
    assert "\n# no heading" not in text
    assert (text + html).count("<script") == 1
    assert "from 40.0 dB to 20.0 dB" in text
    assert "from 40.0 dB to 20.0 dB" in "".join(checker.text)


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, PAPER, 1280])
def test_it_fits_the_window(ordinary: Report, width: int, tmp_path: Path) -> None:
    html = page(with_growth(ordinary, FALLEN, STEADY))
    layout = laid_out(on_paper(html) if width == PAPER else html, width, tmp_path)
    assert layout.scroll <= layout.client
    assert (layout.fetched, layout.overlapping) == (0, 0)
