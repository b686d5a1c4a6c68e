from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.report import Report
from resnet_edge.report.rows import conditions, rows, standing_of, target


def test_one_row_for_each_artifact_and_backend(ordinary: Report) -> None:
    second = replace(ordinary.parity[0], backend="interpreter", verdict="fail")
    report = replace(ordinary, parity=(*ordinary.parity, second))
    outcomes = [
        (row.backend, row.standing, row.latency is None)
        for row in rows(report)
        if row.file == second.artifact
    ]
    assert outcomes == [("litert", "pass", False), ("interpreter", "fail", True)]
    assert standing_of(report, second.artifact) == "fail"


def test_what_was_not_compared_is_not_a_pass(ordinary: Report) -> None:
    report = replace(ordinary, parity=ordinary.parity[1:])
    assert rows(report)[0].standing == "unverified"
    assert standing_of(report, report.artifacts[0].file) == "unverified"


def test_the_reference_may_be_timed_too(ordinary: Report) -> None:
    keras = replace(ordinary.latency[0], artifact="resnet20.keras", backend="keras")
    last = rows(replace(ordinary, latency=(*ordinary.latency, keras)))[-1]
    assert (last.file, last.artifact, last.standing) == ("resnet20.keras", None, "reference")


def test_conditions_stand_in_the_row_where_they_differ(ordinary: Report) -> None:
    assert conditions(ordinary) == "1 thread, batch 1"
    report = replace(ordinary, latency=(*ordinary.latency, replace(ordinary.latency[0], threads=2)))
    assert conditions(report) == ""
    assert [target(report, row) for row in rows(report)[:2]] == [
        "litert cpu, 1 thread, batch 1",
        "litert cpu, 2 threads, batch 1",
    ]
