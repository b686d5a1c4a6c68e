"""The calibration lint in the reports: the worst first, nothing where nothing was looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.results.calibration_lint import CalibrationLint, LintFinding
from resnet_edge.core.results.report import Report
from resnet_edge.report.contract import encode
from resnet_edge.report.lint import lint_lines, lint_summary
from tests.report.browser import PAPER, Checker, laid_out, on_paper
from tests.report.conftest import EVIL
from tests.report.rendered import markdown, page

FINDINGS = (
    LintFinding(
        "leakage", "error", "12 of the 500 images of the proof are among them: take them out", {"leaked": 12}
    ),
    LintFinding("count", "warning", "20 calibration images are few: give 100 or more", {"n": 20}),
    LintFinding("classes", "note", f"which classes they show is unknown: {EVIL}"),
)
CLEAN = CalibrationLint(
    n=1000,
    source="calibration.npz",
    against_n=10000,
    against="test.npz",
    findings=(),
    checked=("count", "leakage", "ranges"),
    figures={"outside": 0.0012, "watched": 128},
)
FULL = replace(CLEAN, findings=FINDINGS)


def test_what_was_looked_for_and_that_nothing_was_found() -> None:
    assert lint_summary(CLEAN) == (
        "Checked in 1,000 images of calibration.npz, beside the 10,000 of the proof: their number, "
        "activation ranges, images of the proof among them. Nothing is wrong with them. On 128 images of "
        "the proof, no tensor had more than 0.12 % of its values outside of the calibrated range."
    )
    assert "Nothing is wrong" not in lint_summary(FULL)


def test_findings_are_in_every_report_and_escaped(ordinary: Report) -> None:
    report = replace(ordinary, calibration_lint=FULL)
    assert [how for how, _ in lint_lines(FULL)] == ["error", "warning", "note"]
    assert json.loads(encode(report))["calibration_lint"]["findings"][0] == {
        "kind": "leakage",
        "severity": "error",
        "sentence": FINDINGS[0].sentence,
        "figures": {"leaked": 12},
    }
    assert "- **error**: 12 of the 500 images of the proof are among them:" in markdown(report)
    assert '<span class="tag fail">error</span> 12 of the 500' in page(report)
    assert page(report).count("<script") == 1


def test_without_calibration_there_is_no_section(ordinary: Report) -> None:
    assert json.loads(encode(ordinary))["calibration_lint"] is None
    assert "Calibration images" not in markdown(ordinary) + page(ordinary)


def test_the_page_is_sound(ordinary: Report) -> None:
    checker = Checker()
    checker.feed(page(replace(ordinary, calibration_lint=FULL)))
    assert "which classes they show is unknown" in "".join(checker.text)


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, PAPER, 1280])
def test_it_fits_the_window(ordinary: Report, width: int, tmp_path: Path) -> None:
    html = page(replace(ordinary, calibration_lint=FULL))
    layout = laid_out(on_paper(html) if width == PAPER else html, width, tmp_path)
    assert layout.scroll <= layout.client
