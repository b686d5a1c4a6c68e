"""A page as a parser reads it, and as a real Chromium lays it out and prints it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest

VOID = {"meta", "link", "br", "wbr", "img", "hr"}
ALLOWED = {
    "html",
    "head",
    "body",
    "meta",
    "link",
    "title",
    "style",
    "main",
    "header",
    "section",
    "h1",
    "h2",
    "p",
    "strong",
    "div",
}
ALLOWED |= {
    "span",
    "ul",
    "li",
    "dl",
    "dt",
    "dd",
    "figure",
    "figcaption",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "code",
    "pre",
}
ALLOWED |= {"wbr", "svg", "g", "line", "text", "rect", "circle", "polygon", "img", "script"}
SORT = resources.files("resnet_edge.report.html").joinpath("sort.js").read_text("utf-8")


class Checker(HTMLParser):
    """Fails on an unknown tag, a tag closed out of turn, an event handler, a reference, or a script that is
    not the one that sorts tables."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "src" or (value or "").startswith("data:image/")
            assert name != "href" or value == "data:,"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            assert data == SORT
            return
        self.text.append(data)


_PROBE = """
<body><iframe id="frame" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>
<script>
document.getElementById("frame").onload = (event) => {{
  const inner = event.target.contentDocument, root = inner.documentElement;
  const all = [...inner.querySelectorAll(".label")].map((label) => label.getBoundingClientRect());
  const labels = all.filter((box) => box.width);
  const apart = (a, b) => a.right <= b.left || b.right <= a.left;
  const above = (a, b) => a.bottom - 2 <= b.top + 2 || b.bottom - 2 <= a.top + 2;
  const meet = (a, b) => !apart(a, b) && !above(a, b);
  const met = labels.filter((a, i) => labels.slice(0, i).some((b) => meet(a, b))).length;
  const fetched = event.target.contentWindow.performance.getEntriesByType("resource").length;
  const found = [root.clientWidth, root.scrollWidth, inner.scripts.length, fetched, labels.length, met];
  document.body.setAttribute("data-probe", found.join(" "));
}};
</script></body>
"""
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-component-update", "--disable-background-networking"),
    *("--virtual-time-budget=5000", "--window-size=1400,1000"),
)


class Layout(NamedTuple):
    """Client and scroll width of a page, its scripts, what it fetched, its labels and how many of them
    overlap."""

    client: int
    scroll: int
    scripts: int
    fetched: int
    labels: int
    overlapping: int


def laid_out(html: str, width: int, folder: Path) -> Layout:
    """The page in a frame of that width, as a real browser lays it out."""
    wrapper = folder / "wrapper.html"
    wrapper.write_text(_PROBE.format(width=width, page=escape(html)), encoding="utf-8")
    dom = _run(folder, "--dump-dom", wrapper.as_uri())
    match = re.search(r'<body data-probe="([\d ]+)">', dom)
    assert match is not None, "the browser did not run the probe"
    return Layout(*(int(number) for number in match.group(1).split()))


PAPER = 718
"""Pixels that are left of A4 between the margins of a browser."""


def on_paper(html: str) -> str:
    """The page with the rules for print in force on a screen, and those for phones not."""
    assert "@media print" in html
    assert "@media screen and" in html
    return html.replace("@media print", "@media all").replace("@media screen and", "@media print and")


def printed(html: str, folder: Path) -> bytes:
    """The page as a PDF."""
    (folder / "page.html").write_text(html, encoding="utf-8")
    _run(folder, f"--print-to-pdf={folder / 'page.pdf'}", (folder / "page.html").as_uri())
    return (folder / "page.pdf").read_bytes()


def _run(folder: Path, *words: str) -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed, so nothing can lay the page out")
    command = [browser, *_QUIET, f"--user-data-dir={folder / 'profile'}", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


_PRESS = """
<body><iframe id="frame" style="border:0;width:1280px;height:900px" srcdoc="{page}"></iframe>
<script>
document.getElementById("frame").onload = (event) => {{
  const inner = event.target.contentDocument, table = inner.querySelectorAll("table.cards")[0], seen = [];
  for (const column of {columns}) {{
    const head = table.tHead.rows[0].cells[column], button = head.querySelector("button");
    button.focus();
    if (inner.activeElement !== button) throw new Error("it cannot be reached with a key");
    button.click();
    const sorted = [...table.tHead.rows[0].cells].map((cell) => cell.getAttribute("aria-sort") || "");
    seen.push([[...table.tBodies[0].rows].map((row) => row.cells[0].textContent), sorted]);
  }}
  document.body.setAttribute("data-probe", encodeURIComponent(JSON.stringify(seen)));
}};
</script></body>
"""


def pressed(html: str, columns: list[int], folder: Path) -> list[tuple[list[str], list[str]]]:
    """The first table of a page after each press of a head: the first cells of its rows, and the `aria-sort`
    of its heads."""
    wrapper = folder / "wrapper.html"
    wrapper.write_text(_PRESS.format(columns=columns, page=escape(html)), encoding="utf-8")
    match = re.search(r'<body data-probe="([^"]+)">', _run(folder, "--dump-dom", wrapper.as_uri()))
    assert match is not None, "the browser did not run the probe"
    return [(rows, sorts) for rows, sorts in json.loads(unquote(match.group(1)))]
