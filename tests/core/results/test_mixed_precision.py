from __future__ import annotations

import pytest

from resnet_edge.core.results.mixed_precision import FloatCandidate, MixedPrecision, gravest
from resnet_edge.core.results.parity import Parity, Verdict


def row(verdict: Verdict, sqnr_db: float | None = 30.0) -> Parity:
    return Parity(
        artifact="a.tflite",
        backend="litert",
        device="cpu",
        n=10,
        top1=0.9,
        reference_top1=0.9,
        drop_pp=0.0,
        drop_ci95_pp=(-1, 1),
        agreement=0.99,
        max_abs=0.1,
        sqnr_db=sqnr_db,
        verdict=verdict,
        reasons=("",),
    )


def candidate(*rows: Parity) -> FloatCandidate:
    return FloatCandidate(
        float_layers=("layer",), int8_macs=0.9, expected_sqnr_db=31.0, artifacts=(), parity=rows
    )


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "fail", "pass"], "fail"),
        ([], "fail"),
    ],
)
def test_gravest_verdict_counts_and_none_is_no_pass(verdicts: list[Verdict], worst: Verdict) -> None:
    assert gravest(verdicts) == worst
    assert candidate(*map(row, verdicts)).verdict == worst


def test_sqnr_is_the_lowest_and_unknown_where_one_is() -> None:
    assert candidate(row("pass", 33.0), row("pass", 31.0)).sqnr_db == 31
    assert candidate(row("pass", 33.0), row("fail", None)).sqnr_db is None
    assert candidate().sqnr_db is None


@pytest.mark.parametrize(("chosen", "met"), [(0, False), (1, True)])
def test_a_plan_is_met_by_what_is_kept(chosen: int, met: bool) -> None:
    plan = MixedPrecision("int8", (candidate(row("fail")), candidate(row("pass"))), chosen)
    assert plan.met is met
    assert plan.kept is plan.candidates[chosen]
