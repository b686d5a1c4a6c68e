"""Whether int8 ran, and what overflows, in words and tables."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.report.integers import execution_table, risk_sentences, risk_table
from tests.report.proofs import RAN, RISK


def test_what_ran_is_told_by_whom() -> None:
    rows = execution_table([RAN])
    assert rows is not None
    assert rows.body[0][2:] == ("100.0 %", "95.0 %", "CPU: 20 QLinearConv uint8 x int8, 1 Conv float32")
    assert execution_table([]) is None


def test_the_layers_that_overflow_most_come_first() -> None:
    rows = risk_table([RISK])
    assert rows is not None
    assert len(rows.body) == 2
    assert rows.body[0][1:] == ("80", "20.0 %", "1.90x", "3 %")
    assert "1 layer of integers not emulated" in risk_sentences([RISK])[-1]
    both = risk_table([RISK, replace(RISK, artifact="other.onnx")])
    assert both is not None
    assert {str(row[0]).split(": ")[0] for row in both.body} == {RISK.artifact, "other.onnx"}
