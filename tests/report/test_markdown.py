"""Markdown: whole tables, and text that stays text."""

from __future__ import annotations

import re
from html import unescape

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.report.blocks import (
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
from resnet_edge.report.markdown import code, escaped
from resnet_edge.report.markdown import markdown as writer
from tests.report.rendered import markdown

EVIL = """<script>alert("x")<img src=x onerror=y>&amp'|`**[a](x)_\\$"""


def rendered(text: str) -> str:
    markdown_it = pytest.importorskip(
        "markdown_it", reason="markdown-it-py, a dependency of rich, renders the text"
    )
    html: str = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return html


def test_tables_are_whole(any_report: Report) -> None:
    for block in re.findall(r"(?:^\|.*\|$\n?)+", markdown(any_report), flags=re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1, block


def test_every_row_is_rendered_as_a_row(any_report: Report) -> None:
    html = rendered(markdown(any_report))
    assert html.count("<h1>") == 1
    for artifact in any_report.artifacts:
        assert html.count("<tr>") >= len(any_report.artifacts)
        assert artifact.format in html


def test_outside_strings_stay_text(troubled: Report) -> None:
    html = rendered(markdown(troubled))
    assert not re.findall(r"<(script|img|a|em|del)\b", html)
    assert "\x1b" not in html


@pytest.mark.parametrize(
    "text", [EVIL, "1. one", "- minus", "# head", "+ plus", "a_b_c *d*", "| cell |", "&lt;", "94.12 %"]
)
def test_escaped_text_reads_as_it_was(text: str) -> None:
    shown = rendered(f"- {escaped(text)}")
    inside = re.fullmatch(r"<ul>\n<li>([^<>]*)</li>\n</ul>\n", shown)
    assert inside is not None, shown
    assert unescape(inside.group(1)) == text


def test_code_spans_hold_anything() -> None:
    assert code("resnet20.int8.tflite") == "`resnet20.int8.tflite`"
    assert "|" not in code("a|b")
    assert "`" not in code("a`b")


def test_verdict_comes_first(ordinary: Report, troubled: Report) -> None:
    assert markdown(ordinary).split("\n\n")[1].startswith("**PASSED.** All 8 artifacts passed")
    assert "| 10.02 % | 84.10 [84.03, 84.19] |" in markdown(troubled)
    assert "**FAIL**" in markdown(troubled)


def test_a_fence_is_longer_than_what_it_holds(troubled: Report) -> None:
    text = markdown(troubled)
    fence = re.search(r"^(`{4,})sh\n.*\n\1$", text, flags=re.MULTILINE)
    assert fence is not None


def test_every_block_has_its_form() -> None:
    document = Document(
        name="net",
        kind="report",
        version="1",
        outcome="passed",
        word="passed",
        sentence="All is well.",
        sections=(
            Section("drawn", "A picture alone", (Figure("<svg></svg>", caption="up is better"),)),
            Section(
                "all",
                "All of them",
                (
                    Figure("<svg></svg>", caption="up is better"),
                    Paragraph("in *words*"),
                    TextTable(
                        ("File", "ms", "Verdict"),
                        (
                            ("a_b", ("1.0", "[0.9, 1.1]"), Tag("FAIL", "fail")),
                            ("c", "–", Tag("pass", "pass")),
                        ),
                        range(1, 2),
                        names=range(1),
                    ),
                    Bullets(
                        [
                            "a `b`",
                            Item(label=Tag("note", "reference"), text="c"),
                            Item(label="d", below=["e"]),
                        ]
                    ),
                    Bullets(["a `b`"], quoted=True),
                    Facts([("Source", "a_b"), ("Other", "a_b")], names={"Source"}),
                    Shell("ls"),
                ),
            ),
        ),
    )
    assert (
        writer(document)
        == """# net: report

**PASSED.** All is well.

## All of them

in \\*words\\*

| File | ms | Verdict |
| --- | ---: | --- |
| `a_b` | 1.0 [0.9, 1.1] | **FAIL** |
| `c` | – | pass |

- a \\`b\\`
- **note**: c
- **d**
  - e

- a `b`

| What | Value |
| --- | --- |
| Source | `a_b` |
| Other | a\\_b |

```sh
ls
```
"""
    )
