"""The page of a bench: well-formed, self-contained, escaped, complete, and as wide as its window."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.results.bench import Accuracy, Failed
from tests.report import benches
from tests.report.benches import BENCHES
from tests.report.browser import PAPER, Checker, laid_out, on_paper, printed
from tests.report.conftest import proof
from tests.report.rendered import page


def read(html: str) -> str:
    """The text of the page; fails where it is not well-formed or refers to anything."""
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return "".join(checker.text)


@pytest.mark.parametrize("name", BENCHES)
def test_well_formed_and_self_contained(name: str) -> None:
    html = page(BENCHES[name]())
    read(html)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    for colour in set(re.findall(r'"(?:mark|bar|whisker) (c\d)', html)):
        assert f".{colour} {{" in html


def test_outside_strings_are_text() -> None:
    html = page(benches.troubled())
    assert html.count("<script") == 1
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\udcff" not in html
    assert html.count("&lt;script&gt;alert(&quot;x&quot;)") > 10


def test_everything_that_the_terminal_tells_is_on_the_page() -> None:
    bench = benches.ordinary()
    text = read(page(bench))
    assert "Latency of resnet20" in text
    assert "Fastest: int8.tflite on litert cpu, 0.500 ms [0.490, 0.510]; 1 other row cannot be told" in text
    assert "Every figure holds when repeated." in text
    for figure in ("0.550", "0.800", "2,000", "66%", "12.3", "1.90", "8.00 MB", "40 rounds"):
        assert figure in text
    assert "51.3 billion multiply-accumulates a second in float32" in text
    assert bench.notes[0] in text
    assert bench.command in text
    assert "Example CPU @ 2.10 GHz" in text
    assert "top-1, %" in text
    assert "Tested on 10,000 images." in text


def test_what_failed_and_what_does_not_hold_is_in_the_headline() -> None:
    bench = benches.ordinary()
    unsure = replace(bench.rows[0], verdict="inconclusive", reasons=("its interval is 9 % wide",))
    text = read(page(replace(bench, rows=(unsure, *bench.rows[1:]))))
    assert "inconclusive" in text
    assert "1 of 4 figures may not be repeatable." in text
    assert "its interval is 9 % wide" in text
    html = page(replace(bench, failures=(Failed("x.onnx", "openvino", "cpu", "no such thing"),)))
    assert 'class="banner incomplete"' in html
    assert "1 thing could not be timed." in html
    assert "no such thing" in html


def test_a_reason_of_all_rows_is_told_once() -> None:
    assert page(benches.troubled()).count("the machine changed") == 1


def test_what_is_not_known_has_no_section() -> None:
    text = read(page(benches.bare()))
    for title in ("Accuracy against latency", "How near to the limit", "Layer by layer", "How to repeat it"):
        assert title not in text
    assert "Latency of net" in text


def test_accuracy_counts_only_where_the_same_backend_ran() -> None:
    bench = benches.ordinary()
    elsewhere = proof("resnet20.int8.tflite", backend="openvino")
    html = page(replace(bench, accuracy=Accuracy((elsewhere, proof("resnet20.int8.onnx")))))
    assert "Not drawn, for want of a number: resnet20.fp32.tflite" in html
    drawn = re.findall(r"<title>(resnet20\.[^ ]+) on [^<]*top-1", html)
    assert set(drawn) == {"resnet20.int8.onnx"}


def test_the_keras_model_of_the_folder_is_the_reference() -> None:
    bench = benches.ordinary()
    keras = replace(
        bench.rows[0], artifact="resnet20.keras", format="keras", scheme=None, backend="keras", profile=None
    )
    proofs = bench.accuracy.proofs
    html = page(replace(bench, rows=(*bench.rows, keras), accuracy=Accuracy(proofs, ("resnet20.keras",))))
    assert "resnet20.keras on keras cpu" in html
    assert "Not drawn" not in html
    assert "Keras reference, 94.12 %" in html


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", BENCHES)
def test_never_scrolls_sideways(name: str, width: int, tmp_path: Path) -> None:
    layout = laid_out(page(BENCHES[name]()), width, tmp_path)
    assert width - 20 <= layout.client <= width
    assert layout.scroll <= layout.client
    assert (layout.scripts, layout.fetched, layout.overlapping) == (1, 0, 0)
    assert layout.labels >= 1


@pytest.mark.chromium
@pytest.mark.parametrize("name", BENCHES)
def test_nothing_is_cut_off_on_paper(name: str, tmp_path: Path) -> None:
    html = page(BENCHES[name]())
    layout = laid_out(on_paper(html), PAPER, tmp_path)
    assert layout.scroll <= layout.client
    assert layout.overlapping == 0
    assert printed(html, tmp_path).startswith(b"%PDF")
