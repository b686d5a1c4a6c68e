"""report.html: well-formed, self-contained, escaped, and as wide as its window."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError
from resnet_edge.core.report import Report
from resnet_edge.report import write_reports
from resnet_edge.report.page import page

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
ALLOWED |= {"wbr", "svg", "g", "line", "text", "rect", "circle", "polygon"}


class Checker(HTMLParser):
    """Fails on an unknown tag, a tag closed out of turn, an event handler or a reference."""

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
            assert name != "src"
            assert name != "href" or value == "data:,"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_well_formed_and_self_contained(any_report: Report) -> None:
    checker = Checker()
    html = page(any_report)
    checker.feed(html)
    checker.close()
    assert checker.open == []
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    for artifact in any_report.artifacts:
        assert artifact.file in "".join(checker.text)


def test_outside_strings_are_text(troubled: Report) -> None:
    html = page(troubled)
    assert "<script" not in html
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\udcff" not in html
    assert "&lt;script&gt;alert(&quot;x&quot;)" in html


def test_every_colour_of_the_picture_is_in_the_style_sheet(ordinary: Report) -> None:
    html = page(ordinary)
    for colour in set(re.findall(r'"mark (c\d)', html)):
        assert f".{colour} {{" in html


def test_same_report_same_bytes(any_report: Report, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_reports(any_report, tmp_path / name)
    names = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert names == ["report.html", "report.json", "report.md"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_folder_that_is_not_there_is_an_output_error(ordinary: Report, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.json cannot be written"):
        write_reports(ordinary, tmp_path / "absent")


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
  const found = [root.clientWidth, root.scrollWidth, inner.scripts.length, labels.length, met];
  document.body.setAttribute("data-probe", found.join(" "));
}};
</script></body>
"""
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-component-update", "--disable-background-networking"),
    *("--virtual-time-budget=5000", "--window-size=1400,1000"),
)


def probe(html: str, width: int, folder: Path) -> list[int]:
    """Client and scroll width of the page in a frame of that width, its scripts, its labels
    and how many of them overlap, all as a real browser lays them out."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed, so nothing can lay the page out")
    wrapper = folder / "wrapper.html"
    wrapper.write_text(_PROBE.format(width=width, page=escape(html)), encoding="utf-8")
    command = [browser, *_QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", wrapper.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    match = re.search(r'<body data-probe="([\d ]+)">', dom)
    assert match is not None, "the browser did not run the probe"
    return [int(number) for number in match.group(1).split()]


@pytest.mark.chromium
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["ordinary", "troubled", "crowded"])
def test_never_scrolls_sideways(
    name: str, width: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    client, scroll, scripts, labels, met = probe(page(request.getfixturevalue(name)), width, tmp_path)
    assert width - 20 <= client <= width
    assert scroll <= client
    assert scripts == 0
    assert labels >= 6
    assert met == 0
