"""The page of a search: well-formed, complete, and as wide as its window."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.results.search import SearchResult
from resnet_edge.report.html.page import page
from resnet_edge.report.markdown import markdown
from resnet_edge.report.search_sections import against, conclusion, search_document
from tests.report.browser import PAPER, Checker, laid_out, on_paper, printed
from tests.report.searches import OWN, POINTS, RESULT

KNEE = (
    "5 points of 9 candidates on the frontier. The knee is point 14 (int8, 40 % of the MACs pruned, 3 "
    "epochs): 5.37× smaller, 2.98× faster than the model, with a drop of 0.31 pp [0.09, 0.55]."
)
HOSTILE = '<script>alert("x")</script>\x1b[31m\udcff'


def hostile() -> SearchResult:
    """Names and messages that want to be more than text."""
    return replace(
        RESULT,
        model=replace(RESULT.model, name=HOSTILE),
        notes=(HOSTILE,),
        points=tuple(replace(each, commands=(HOSTILE,), reasons=(HOSTILE,)) for each in POINTS),
        trials=tuple(replace(each, reason=HOSTILE) for each in RESULT.trials),
        study=HOSTILE,
        machine={"cpu": HOSTILE, "command": HOSTILE},
    )


def read(html: str) -> str:
    """The text of the page; fails where it is not well-formed or refers to anything."""
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return "".join(checker.text)


def test_everything_that_was_asked_is_answered() -> None:
    text = read(page(search_document(RESULT)))
    assert KNEE in text
    for figure in ("94.47 %", "[0.09, 0.55]", "0.610", "205 kB", "18.6 M", "inconclusive"):
        assert figure in text
    assert "5,000 images chose among 9 candidates" in text
    assert "Points 3 and 8 cannot be told apart" in text
    assert "Point 26: beside its own network, the drop is 3.20 pp [2.98, 5.04]" in text
    assert "worse than trial 3 in everything, on 1,000 images" in text
    assert "the worker ended: no memory was left" in text
    assert POINTS[2].commands[1] in text
    assert RESULT.machine["command"] in text
    assert "two trials failed: their logs are kept" in text
    assert "drop at most 5 pp, latency at most 3.00 ms" in text
    assert "as the model, 20x20" in text


def test_markdown_has_the_same_sections() -> None:
    text = markdown(search_document(RESULT))
    assert "**INCONCLUSIVE.** 5 points of 9 candidates on the frontier. The knee is point 14" in text
    for section in search_document(RESULT).sections:
        pictures_alone = section.anchor in ("latency", "size")
        assert (f"## {section.title}" in text) is not pictures_alone
    assert POINTS[2].commands[0] in text


def test_outside_strings_are_text() -> None:
    html = page(search_document(hostile()))
    read(html)
    assert html.count("<script") == 1
    assert "\x1b" not in html
    assert "\udcff" not in html
    assert html.count("&lt;script&gt;alert(&quot;x&quot;)") > 20
    text = markdown(search_document(hostile()))
    assert "<script" not in re.sub(r"```sh\n.*?\n```", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("verdicts", "outcome", "word"),
    [
        (("pass", "pass"), "passed", "proved"),
        (("pass", "inconclusive"), "inconclusive", "inconclusive"),
        (("inconclusive", "fail"), "failed", "failed"),
        ((), "incomplete", "nothing feasible"),
    ],
)
def test_the_worst_proof_is_the_verdict(verdicts: tuple[str, ...], outcome: str, word: str) -> None:
    points = tuple(replace(each, verdict=verdict) for each, verdict in zip(POINTS, verdicts, strict=False))
    document = search_document(replace(RESULT, points=points))
    assert (document.outcome, document.word) == (outcome, word)


def test_a_frontier_without_a_knee_is_told_without_one() -> None:
    assert conclusion(replace(RESULT, points=POINTS[:1])) == "1 point of 9 candidates on the frontier."


def test_a_point_without_latency_is_smaller_alone() -> None:
    untimed = replace(RESULT, model_point=replace(OWN, p50_ms=None))
    assert (
        against(untimed, POINTS[0]) == "3.33× smaller than the model, with a drop of −0.04 pp [−0.26, 0.20]"
    )


def test_sections_that_do_not_apply_are_left_out() -> None:
    bare = replace(RESULT, notes=(), trials=(), machine={"cpu": "x"})
    anchors = [section.anchor for section in search_document(bare).sections]
    assert not {"notes", "left", "repeat"} & {*anchors}


@pytest.mark.chromium
@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_the_window_and_no_label_covers_another(width: int, tmp_path: Path) -> None:
    layout = laid_out(page(search_document(RESULT)), width, tmp_path)
    assert layout.scroll <= layout.client
    assert (layout.scripts, layout.fetched, layout.overlapping) == (1, 0, 0)
    assert layout.labels == 12  # six in each picture


@pytest.mark.chromium
def test_it_fits_paper(tmp_path: Path) -> None:
    html = page(search_document(RESULT))
    layout = laid_out(on_paper(html), PAPER, tmp_path)
    assert layout.scroll <= layout.client
    assert printed(html, tmp_path).startswith(b"%PDF")
