"""JUnit's XML of a run, read back."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.report import Report
from resnet_edge.report.junit import Case, junit, proved, timed
from tests.report import benches


def test_every_outcome_is_told() -> None:
    text = junit(
        "suite",
        [
            Case(group="a.tflite", name="litert cpu", outcome="pass"),
            Case(group="a.onnx", name="onnxruntime cpu", outcome="fail", reasons=("too far <&>", "and more")),
            Case(group="b\x00.onnx", name="x\x1b[2J", outcome="inconclusive", reasons=("\ud800 few",)),
            Case(group="c.onnx", name="made and run", outcome="error"),
        ],
    )
    (suite,) = ElementTree.fromstring(text.encode())
    assert dict(suite.attrib) == {
        "name": "suite",
        "tests": "4",
        "failures": "2",
        "errors": "1",
        "skipped": "0",
    }
    passed, failed, few, broke = suite
    assert [*passed] == []
    assert (failed[0].tag, failed[0].get("message"), failed[0].text) == (
        "failure",
        "too far <&>",
        "too far <&>\nand more",
    )
    assert (few.get("classname"), few.get("name")) == ("b\\x00.onnx", "x\\x1b[2J")
    assert (few[0].get("type"), few[0].get("message")) == ("inconclusive", "\\ud800 few")
    assert (broke[0].tag, broke[0].get("message")) == ("error", "error")


def test_a_case_for_each_proof_and_failure(troubled: Report) -> None:
    report = troubled
    cases = list(proved(report))
    assert [case.outcome for case in cases][: len(report.parity)] == [row.verdict for row in report.parity]
    assert len(cases) == len(report.parity) + len(report.failures) + len(open_doubts(report.doubts))


def test_what_is_not_steady_is_inconclusive() -> None:
    bench = benches.troubled()
    cases = list(timed(bench))
    steady = [row.verdict == "steady" for row in bench.rows]
    assert [case.outcome == "pass" for case in cases[: len(steady)]] == steady
    assert [case.outcome for case in cases[len(steady) :]] == ["error"] * len(bench.failures)


def test_noise_that_is_accepted_is_skipped_with_its_reasons() -> None:
    bench = replace(benches.troubled(), noise_accepted=True)
    row = next(row for row in bench.rows if row.verdict != "steady")
    (suite,) = ElementTree.fromstring(junit("suite", timed(bench)))
    skipped = [case[0] for case in suite if len(case) and case[0].tag == "skipped"]
    assert len(skipped) == sum(row.verdict != "steady" for row in bench.rows) > 0
    assert (suite.get("failures"), suite.get("skipped")) == ("0", str(len(skipped)))
    assert row.reasons[0] in {each.get("message") for each in skipped}
