"""Tests of what pages are built of: text stays text."""

from __future__ import annotations

import pytest

from resnet_edge.report import words
from resnet_edge.report.html import elements
from tests.report.browser import Checker
from tests.report.conftest import EVIL


def read(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


@pytest.mark.parametrize(
    "html",
    [
        elements.document(EVIL, [elements.section(EVIL, "<p>body</p>"), ""]),
        elements.head(EVIL, EVIL, "failed", EVIL, EVIL),
        elements.listing([EVIL, "\x1b[31m"]),
        elements.facts([(EVIL, EVIL)]),
        elements.reasons(EVIL, [(EVIL, [EVIL])]),
        elements.shell(EVIL),
        elements.figure([("<svg></svg>", EVIL)], "<svg></svg>", EVIL),
        elements.tag("pass", EVIL),
        elements.table([EVIL, EVIL], [[elements.safe(EVIL), elements.safe(EVIL)]], {1}),
    ],
)
def test_words_from_outside_are_words(html: str) -> None:
    checker = read(html)
    assert "<script" not in html
    assert "onerror=y>" not in html
    assert "\x1b" not in html
    assert "alert" in "".join(checker.text) or "31m" in html


def test_a_row_becomes_a_card_that_names_its_cells() -> None:
    html = elements.table(("File", "ms", "Note"), [["a", "1.0", words.ABSENT]], {1})
    assert '<td class="number" data-label="ms">1.0</td>' in html
    assert f'<td class=" empty" data-label="Note">{words.ABSENT}</td>' in html
    assert '<th scope="row">a</th>' in html


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        elements.table(("File", "ms"), [["a"]], {1})


def test_a_long_name_may_break_where_people_read_a_pause() -> None:
    html = elements.table(("File",), [["net-a_b.int8"]], ())
    assert "net-<wbr>a_<wbr>b.<wbr>int8" in html


def test_nothing_is_no_section() -> None:
    assert elements.reasons("What did not pass", []) == ""
    assert "<ul" not in elements.figure([], "<b></b>", "a caption")
    assert elements.over("3.1", "") == "3.1"
    assert "under" in elements.over("3.1", "[3, 4]")


def test_a_page_stands_alone() -> None:
    html = elements.document("t", ["<p>body</p>", ""])
    assert "<style>" in html
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("<p>body</p>") == 1
