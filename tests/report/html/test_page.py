"""Tests of the page: text stays text, and every block has its form."""

from __future__ import annotations

import pytest

from resnet_edge.report import words
from resnet_edge.report.blocks import (
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Item,
    Paragraph,
    Section,
    Shell,
    Tag,
    TextTable,
)
from resnet_edge.report.html.page import block_html, page, safe
from tests.report.browser import Checker
from tests.report.conftest import EVIL

BLOCKS: tuple[Block, ...] = (
    Bullets([EVIL, "\x1b[31m"]),
    Bullets([f"`{EVIL}`"], quoted=True),
    Bullets([Item(label=EVIL, text=EVIL, below=[EVIL]), Item(label=Tag(EVIL, "pass"), text=EVIL)]),
    Facts([(EVIL, EVIL)]),
    Figure("<svg></svg>", [("<svg></svg>", EVIL)], EVIL),
    Paragraph(EVIL),
    Shell(EVIL),
    TextTable((EVIL, EVIL, EVIL), (((EVIL, EVIL), EVIL, Tag(EVIL, "fail")),), range(1, 2)),
)


def document(*blocks: Block, text: str = "text") -> Document:
    return Document(
        name=text,
        kind="report",
        version=text,
        outcome="failed",
        word=text,
        sentence=text,
        sections=(Section("anchor", text, blocks),),
    )


def read(html: str) -> str:
    """Its text; fails where it is not well-formed."""
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return "".join(checker.text)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_words_from_outside_are_words(block: Block) -> None:
    html = page(document(block, text=EVIL))
    assert "<script" not in html
    assert "onerror=y>" not in html
    assert "\x1b" not in html
    assert read(html).count("alert") >= 6  # the title, the head of four, the heading


def test_a_row_becomes_a_card_that_names_its_cells() -> None:
    table = TextTable(("File", "ms", "Note"), (("a", ("1.0", "[0.9, 1.1]"), words.ABSENT),), range(1, 2))
    html = block_html(table)
    number = '<span>1.0<span class="under">[0.9, 1.1]</span></span>'
    assert f'<td class="number" data-label="ms">{number}</td>' in html
    assert f'<td class=" empty" data-label="Note">{words.ABSENT}</td>' in html
    assert '<th scope="row">a</th>' in html


def test_a_verdict_has_its_colour() -> None:
    html = block_html(TextTable(("File", "Verdict"), (("a", Tag("FAIL", "fail")),), range(0)))
    assert '<span class="tag fail">FAIL</span>' in html


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        block_html(TextTable(("File", "ms"), (("a",),), range(1, 2)))


def test_a_long_name_may_break_where_people_read_a_pause() -> None:
    html = block_html(TextTable(("File",), (("net-a_b.int8",),), range(0)))
    assert "net-<wbr>a_<wbr>b.<wbr>int8" in html


def test_names_between_backquotes_are_code_only_where_the_sentence_is_ours() -> None:
    assert "<li>Input <code>image</code>.</li>" in block_html(Bullets(["Input `image`."], quoted=True))
    assert "<li>a `name`</li>" in block_html(Bullets(["a `name`"]))


def test_what_is_empty_leaves_nothing_behind() -> None:
    assert block_html(Figure("<b></b>")) == "<figure><b></b></figure>"
    assert "under" not in block_html(TextTable(("File",), (("3.1",),), range(0)))


def test_a_page_stands_alone_and_a_link_finds_its_sections() -> None:
    html = page(document(Paragraph("body")))
    read(html)
    assert "<style>" in html
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("body</p>") == 1
    assert '<section id="anchor">' in html
    assert safe("a<b") == "a&lt;b"
