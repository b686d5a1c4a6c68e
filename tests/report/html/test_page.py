"""Tests of the page: text stays text, and every block has its form."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.report import words
from resnet_edge.report.blocks import (
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Item,
    Matrix,
    Paragraph,
    Section,
    Shell,
    Tag,
    TextTable,
)
from resnet_edge.report.html.page import block_html, page, safe
from tests.report.browser import SORT, Checker, laid_out, pressed
from tests.report.conftest import EVIL

BLOCKS: tuple[Block, ...] = (
    Bullets([EVIL, "\x1b[31m"]),
    Bullets([f"`{EVIL}`"], quoted=True),
    Bullets([Item(label=EVIL, text=EVIL, below=[EVIL]), Item(label=Tag(EVIL, "pass"), text=EVIL)]),
    Facts([(EVIL, EVIL)]),
    Figure("<svg></svg>", [("<svg></svg>", EVIL)], EVIL),
    Paragraph(EVIL),
    Matrix(rows=EVIL, columns=EVIL, names=(EVIL,), counts=((1,),)),
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
    assert html.count("<script") == 1
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


def test_why_stands_in_the_banner() -> None:
    html = page(replace(document(Paragraph("body")), why=(EVIL, "another")))
    read(html)
    banner = html[html.index('class="banner') : html.index("</header>")]
    assert banner.count("<li>") == 2


def test_pictures_stand_in_front_of_their_rows() -> None:
    rows = (("a", "1"), ("b", "2"))
    html = block_html(TextTable(("Image", "n"), rows, range(1, 2), pictures=("data:image/png;base64,x", "")))
    assert html.count("<img") == 1
    assert '<th scope="row"><img src="data:image/png;base64,x" alt="">a</th>' in html
    with pytest.raises(ValueError, match="longer"):
        block_html(TextTable(("Image", "n"), rows, range(1, 2), pictures=("",)))


def test_a_matrix_is_a_table_that_leaves_none_empty() -> None:
    html = block_html(Matrix(rows="Label", columns="Answer", names=("a", EVIL), counts=((3, 1), (0, 0))))
    assert (
        '<td class="right" style="--shade:0.87">3</td><td class="wrong" style="--shade:0.50">1</td>' in html
    )
    assert '<td class="wrong" style="--shade:0.00"></td><td class="right" style="--shade:0.00">0</td>' in html
    assert "<script" not in html


def test_the_page_forbids_all_scripts_but_its_own_and_every_address() -> None:
    html = page(document(Paragraph("body")))
    digest = base64.b64encode(hashlib.sha256(SORT.encode()).digest()).decode()
    assert f"<script>{SORT}</script>" in html
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    assert f'content="{policy}"' in html


HEADS = ("File", "Size", "Drop", "Took", "Verdict", "Name", "Of each", "Class")
CELLS = (
    ("a", "1.2 MB", ("12.5 %", "[1, 99]"), "2 min 5 s", Tag("pass", "pass"), "net10", "2, 0", "10-12"),
    ("b", "300 kB", ("−3.0 %", "[0, 1]"), "1,000 µs", Tag("FAIL", "fail"), "net9", "0, 12", "3-5"),
    (
        "c",
        words.ABSENT,
        (words.ABSENT, ""),
        "12.3 s",
        Tag("?", "inconclusive"),
        "Net1",
        "1 MB / 2 MB",
        "100 kB",
    ),
    ("d", "90 B", ("∞ dB", ""), "0.4 s", Tag("not", "unverified"), words.ABSENT, "1 kB / 3 MB", "1 kB"),
)


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("column", "up"),
    [(0, "abcd"), (1, "dbac"), (2, "badc"), (3, "bdca"), (4, "bcda"), (5, "cbad"), (6, "badc"), (7, "dbac")],
)
def test_a_press_sorts_by_value_and_a_third_gives_the_order_back(
    column: int, up: str, tmp_path: Path
) -> None:
    table = TextTable(HEADS, CELLS, range(1, 7))
    seen = pressed(page(document(table)), [column] * 3, tmp_path)
    absent = {1: "c", 2: "c", 5: "d"}.get(column, "")
    down = "".join(reversed(up.replace(absent, ""))) + absent
    assert ["".join(rows) for rows, _ in seen] == [up, down, "abcd"]
    assert [sorts[column] for _, sorts in seen] == ["ascending", "descending", ""]


@pytest.mark.chromium
def test_one_column_at_a_time_is_said_to_be_sorted(tmp_path: Path) -> None:
    table = TextTable(("File", "Size"), tuple(row[:2] for row in CELLS), range(1, 2))
    _, (rows, sorts) = pressed(page(document(table)), [0, 1], tmp_path)
    assert sorts == ["", "ascending"]
    assert rows == ["d", "b", "a", "c"]


@pytest.mark.chromium
def test_a_script_that_is_not_ours_does_not_run(tmp_path: Path) -> None:
    """Were an escape forgotten one day."""
    html = page(document(Paragraph("body"))).replace(
        "body</p>", "body</p><script>document.body.innerHTML = '<span class=label>x</span>'</script>"
    )
    layout = laid_out(html, 1280, tmp_path)
    assert (layout.scripts, layout.labels) == (2, 0)


@pytest.mark.chromium
def test_a_verdict_fits_its_card(tmp_path: Path) -> None:
    tags = (Tag("inconclusive, kept", "inconclusive"),) * 3
    table = TextTable(("File", "Size", "A", "B", "C"), (("a", "9 B", *tags),), range(1, 2))
    layout = laid_out(page(document(table)), 360, tmp_path)
    assert layout.scroll <= layout.client
