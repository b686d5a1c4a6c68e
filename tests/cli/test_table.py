"""The terminal table: whole at every width, plain where stdout is no terminal."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import pytest

from resnet_edge.cli._table import print_table
from resnet_edge.core.results.report import Report
from tests.report import conftest as reports

any_report, model = reports.any_report, reports.model
ordinary, troubled, compressed, unlabelled = (
    reports.ordinary,
    reports.troubled,
    reports.compressed,
    reports.unlabelled,
)
confused, crowded, single, nothing = reports.confused, reports.crowded, reports.single, reports.nothing


def printed(report: Report, width: int, capsys: pytest.CaptureFixture[str]) -> str:
    print_table(report, width)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_nothing_is_cut_at_any_width(
    any_report: Report, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(any_report, width, capsys)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    for row in any_report.parity:
        if row.drop_pp is not None:
            assert f"{row.drop_pp:.2f}" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_number_of_a_row_is_told(
    ordinary: Report, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(ordinary, width, capsys)
    for text_ in (
        "resnet20.int16x8.tflite",
        "318 kB",
        "94.09 %",
        "0.03",
        "[−0.04, 0.12]",
        "99.91 %",
        "0.884",
        "2.61×",
        "onnxruntime cpu",
        "pass",
    ):
        assert text_ in text


def test_fits_a_line_a_row_at_120_and_two_at_80(ordinary: Report, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(
        r"^resnet20\.int8\.onnx .* 322 kB .* 2\.42× +pass", printed(ordinary, 120, capsys), flags=re.MULTILINE
    )
    assert re.search(
        r"^resnet20\.int8\.onnx .*\n  322 kB, onnxruntime cpu ",
        printed(ordinary, 80, capsys),
        flags=re.MULTILINE,
    )


def test_reasons_and_failures_follow_in_words(troubled: Report, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(troubled, 120, capsys)
    assert "FAIL" in text
    assert "inconclusive" in text
    assert "not verified" in text
    assert "  The drop of 84.10 pp exceeds 0.5 pp." in text
    assert "  the converter died: <script>" in text
    assert "\nFAILED. Of 9 artifacts" in text
    assert "FAILED" not in text.partition("\nFAILED.")[0]


def test_a_note_that_stands_above_is_not_printed_again(
    ordinary: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    report = replace(ordinary, notes=("one", "another"))
    print_table(report, 120, above={"note: one"})
    text = capsys.readouterr().out
    assert "note: another" in text
    assert "note: one" not in text
    print_table(report, 120)
    assert "note: one" in capsys.readouterr().out


def test_markup_in_names_is_not_obeyed(troubled: Report, capsys: pytest.CaptureFixture[str]) -> None:
    assert "**[a](x)_\\$" in printed(troubled, 200, capsys)


def test_an_ascii_terminal_gets_ascii(troubled: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_table(troubled, 120)
    sys.stdout.flush()
    text = raw.getvalue().decode("ascii")
    assert "[-0.07, 0.09]" in text
    assert "0.99x" in text
