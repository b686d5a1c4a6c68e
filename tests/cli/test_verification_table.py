"""The table of `verify` on terminals of all widths."""

from __future__ import annotations

import pytest

from resnet_edge.cli._verify import print_verification
from resnet_edge.core.results.report import Report
from tests.report import conftest as reports
from tests.report.proofs import verified

model, ordinary = reports.model, reports.ordinary


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_number_of_a_row_is_told_and_none_cut(
    ordinary: Report, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    verification = verified(ordinary)
    print_verification(verification, width)
    text = capsys.readouterr().out
    assert all(len(line) <= width for line in text.splitlines())
    for row in verification.parity:
        assert f"{row.drop_pp:.2f}" in text
        assert f"{row.sqnr_db:.1f} dB" in text


def test_eighty_columns_hold_a_table_of_two_lines_a_row(
    ordinary: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    print_verification(verified(ordinary), 80)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Artifact")
    assert lines[1].split()[:2] == ["backend", "agree"]
