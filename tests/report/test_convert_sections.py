"""report.html and report.md of `convert`: well-formed, escaped, complete, as wide as the window."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError
from resnet_edge.core.results.report import Report
from resnet_edge.report import write_reports
from tests.report.browser import PAPER, Checker, laid_out, on_paper, printed
from tests.report.rendered import page


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
    assert html.count("<script") == 1
    assert "<img src=x" not in html
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


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["ordinary", "confused", "troubled", "crowded"])
def test_never_scrolls_sideways(
    name: str, width: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    layout = laid_out(page(request.getfixturevalue(name)), width, tmp_path)
    assert width - 20 <= layout.client <= width
    assert layout.scroll <= layout.client
    assert layout.scripts == 1
    assert layout.fetched == 0
    assert layout.labels >= 6
    assert layout.overlapping == 0


@pytest.mark.chromium
@pytest.mark.parametrize("name", ["ordinary", "troubled", "crowded", "compressed"])
def test_nothing_is_cut_off_on_paper(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    html = page(request.getfixturevalue(name))
    layout = laid_out(on_paper(html), PAPER, tmp_path)
    assert layout.scroll <= layout.client
    assert layout.overlapping == 0
    assert printed(html, tmp_path).startswith(b"%PDF")
