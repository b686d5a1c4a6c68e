"""Tests of the section of layers on the page of a bench."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from resnet_edge.core.results.bench import Bench
from resnet_edge.report.bench_layer_section import BESIDE, SHOWN, layer_blocks
from resnet_edge.report.html.page import block_html
from tests.report.benches import crowded, ordinary, row
from tests.report.conftest import EVIL


def layer_section(bench: Bench, model: str) -> str:
    """The blocks of a bench, as a page has them."""
    return "".join(map(block_html, layer_blocks(bench, bench.rows, model)))


def test_without_a_profile_there_is_no_section() -> None:
    bench = ordinary()
    bare = replace(bench, rows=tuple(replace(each, profile=None) for each in bench.rows))
    assert layer_section(bare, "resnet20") == ""


def test_a_cell_tells_its_share_its_rate_and_how_near_the_limit_that_is() -> None:
    bench = replace(
        ordinary(), rows=(row("net.fp32.tflite", 1.0, layers={"net/a/conv": 37.0, "logits": 60.0}),)
    )
    html = layer_section(bench, "net")
    # 37 of the 100 microseconds, 3 of which belong to no layer; a million MACs in 37 of them.
    assert "37.0 µs" in html
    assert "37.0% · 27.0 G/s · 53%" in html
    without = layer_section(replace(bench, ceilings=None), "net")
    assert "37.0% · 27.0 G/s<" in without


def test_no_picture_holds_more_artifacts_than_fit_and_none_is_left_out() -> None:
    bench = crowded()
    html = layer_section(bench, "")
    assert html.count("<figure>") == 3, f"nine artifacts, {BESIDE} at most beside each other"
    assert len(re.findall(r"<th scope=\"col\" class=\"number\">", html)) == 3 + 9


def test_the_slowest_layers_are_shown_and_the_others_counted() -> None:
    bench = crowded()
    html = layer_section(bench, "")
    assert html.count('<th scope="row">') == 3 * SHOWN
    assert "21 quicker layers more with --json." in html


@pytest.mark.parametrize("name", [EVIL, "a\x1b[31m"])
def test_names_of_layers_are_text(name: str) -> None:
    bench = replace(ordinary(), rows=(row("net.fp32.tflite", 1.0, layers={name: 37.0}),))
    html = layer_section(bench, "net")
    assert "<script" not in html
    assert "\x1b" not in html
