"""Reasons that several rows share are told once."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.report import Report
from resnet_edge.report import summary
from resnet_edge.report.grouped import grouped, names
from tests.report.rendered import markdown


def test_rows_with_the_same_reasons_are_together(ordinary: Report) -> None:
    first, second, third, *_ = ordinary.parity
    rows = [
        replace(first, reasons=("one class",), verdict="inconclusive"),
        replace(second, reasons=("another",), verdict="inconclusive"),
        replace(third, reasons=("one class",), verdict="inconclusive"),
    ]
    groups = grouped(rows)
    assert [(names(together), reasons) for together, reasons in groups] == [
        (names([rows[0], rows[2]]), ("one class",)),
        (names([rows[1]]), ("another",)),
    ]
    report = replace(ordinary, parity=tuple(rows))
    titles = [title for title, reasons in summary.troubles(report) if reasons == ["one class"]]
    assert titles == [f"{names([rows[0], rows[2]])}: inconclusive"]
    assert markdown(report).count("one class") == 2  # in the banner, and below
