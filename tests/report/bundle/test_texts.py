"""The Markdown of a bundle, rendered: what files, runtimes and compilers say stays text."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from resnet_edge.report.bundle.accelerators import accelerators_markdown
from resnet_edge.report.bundle.model_card import card_markdown, model_card
from resnet_edge.report.bundle.texts import write_bundle
from tests.report.bundle.bundles import NASTY, bundle, report
from tests.report.conftest import EVIL
from tests.report.test_markdown import rendered


def check(text: str) -> None:
    """No markup but ours, no table with a row of another width, and EVIL reads as it was written."""
    html = rendered(text)
    tags = set(re.findall(r"</?([A-Za-z][A-Za-z0-9]*)", html))
    ours = {"h1", "h2", "p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "code"}
    assert tags <= ours, tags - ours
    assert html.count("<h1>") == 1
    assert not set("\x1b\u202e") & {*text}
    for table in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table
    assert EVIL in unescape(re.sub(r"</?code>", "", html))


def test_the_readme_the_card_and_the_accelerators(tmp_path: Path) -> None:
    stored = bundle()
    card = model_card(stored, report(), f"resnet-edge package '{NASTY}'", NASTY, NASTY)
    check(card_markdown(card))
    check(accelerators_markdown(stored.outlooks))
    (tmp_path / "golden").mkdir()
    write_bundle(stored, tmp_path, f"resnet-edge package '{NASTY}'", card)
    check((tmp_path / "README.md").read_text("utf-8"))
