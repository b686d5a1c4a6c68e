"""The lineage on a terminal: whole at every width, and only where there is one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.console import Console

from resnet_edge.cli._lineage import print_lineage
from resnet_edge.core.results.report import Report


def printed(report: Report, width: int, capsys: pytest.CaptureFixture[str]) -> str:
    print_lineage(report, Console(highlight=False, markup=False, emoji=False, width=width))
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_nothing_is_cut_at_any_width(
    compressed: Report, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(compressed, width, capsys)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    for figure in ("94.74 %", "94.51 %", "94.12 %", "40.8 M", "20.3 M", "1.36 MB", "677 kB", "1.67×"):
        assert figure in text
    assert "tflite" not in text  # the artifacts have their own table


def test_a_line_a_row_at_80(compressed: Report, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(compressed, 80, capsys)
    assert re.search(r"^train: resnet20, 45\s.* 94\.74 % +40\.8 M +272 k +1\.36 MB +–", text, re.MULTILINE)


def test_no_table_for_a_model_as_it_was_made(
    compressed: Report, ordinary: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(ordinary, 80, capsys) == ""
    assert printed(replace(compressed, history=compressed.history[:1]), 80, capsys) == ""
    assert "the model as it came" in printed(replace(compressed, history=compressed.history[1:2]), 80, capsys)


def test_words_from_outside_stay_text(troubled: Report, capsys: pytest.CaptureFixture[str]) -> None:
    (step,) = troubled.history
    text = printed(replace(troubled, history=(step, step)), 60, capsys)
    assert text
    assert "\x1b" not in text
