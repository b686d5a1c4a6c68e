"""What stands beside verdicts, in every report and on the page of `verify`: causes, layers, integers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.report.contract import encode
from tests.report.browser import PAPER, laid_out, on_paper
from tests.report.proofs import LONG, full, verified
from tests.report.rendered import markdown, page


def test_all_of_it_is_in_every_report(ordinary: Report) -> None:
    document = json.loads(encode(full(ordinary)))
    assert document["attribution"][0]["kernels"]["within"] is True
    assert document["execution"][0]["in_float"] == [LONG]
    assert document["int8_risk"][0]["ways"][0]["drop_ci95_pp"] == [0.7, 3.4]
    for text in (markdown(full(ordinary)), page(full(ordinary))):
        for title in ("Where the gap comes from", "What int8 really ran as", "int8 ONNX on x86 without VNNI"):
            assert title in text
        assert "its bias is gone" in text
        assert "2.5 steps" in text
    assert (markdown(full(ordinary)) + page(full(ordinary))).count("<script") == 1


def test_nothing_found_no_section(ordinary: Report) -> None:
    for title in ("Where the gap", "Where artifacts part", "really ran", "without VNNI"):
        assert title not in markdown(ordinary) + page(ordinary)


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, PAPER, 1280])
@pytest.mark.parametrize("which", ["convert", "verify"])
def test_it_fits_the_window(ordinary: Report, which: str, width: int, tmp_path: Path) -> None:
    html = page(full(ordinary) if which == "convert" else verified(ordinary))
    layout = laid_out(on_paper(html) if width == PAPER else html, width, tmp_path)
    assert layout.scroll <= layout.client
    assert layout.overlapping == 0
