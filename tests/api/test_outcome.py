"""How runs end: the exit code of the contract, and the line that says what is not well."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.api.outcome import (
    bench_code,
    bench_trouble,
    convert_trouble,
    golden_code,
    golden_trouble,
    proof_code,
)
from resnet_edge.core.results.bench import Failed
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.golden_vectors import GoldenVerdict
from resnet_edge.core.results.parity import Verdict
from resnet_edge.core.results.report import Failure, Report
from resnet_edge.golden.replay import GoldenReplay
from tests.cli.test_golden import VECTORS, row
from tests.report import benches
from tests.report.conftest import artifact, model, ordinary, proof  # noqa: F401  # fixtures

FILE = "net.int8.onnx"
DOUBT = Doubt(kind="chance", sentence="the reference is no better than chance")
BROKEN = (Failure("net.fp16.onnx", "it broke"), Failure("net.fp32.onnx", "so did it"))


@pytest.fixture
def proved(ordinary: Report) -> Report:  # noqa: F811  # pytest gives the fixture
    """One artifact with one proof, which passed."""
    return replace(
        ordinary, artifacts=(artifact(FILE, 9),), parity=(proof(FILE),), failures=(), doubts=(), plan=None
    )


def judged(verdict: Verdict) -> dict[str, Any]:
    return {"parity": (proof(FILE, verdict=verdict, reasons=("the reason",)),)}


@pytest.mark.parametrize(
    ("change", "code", "trouble"),
    [
        ({}, 0, None),
        (judged("fail"), 4, rf"{FILE}.*the reason; see dist/report\.html$"),
        (judged("inconclusive"), 5, rf"{FILE}.*the reason; see dist/report\.html$"),
        ({"doubts": (DOUBT,)}, 5, rf"^{DOUBT.sentence}; see dist/report\.html$"),
        ({"doubts": (replace(DOUBT, accepted=True),)}, 0, None),
        ({**judged("fail"), "failures": BROKEN[:1]}, 3, "it broke; what could be made is in dist$"),
        ({"failures": BROKEN}, 3, r"^net.fp16.onnx: it broke \(and 1 more\); what could be made is in dist$"),
        ({"artifacts": (), "parity": ()}, 3, None),
        ({"parity": ()}, 3, rf"^{FILE}: .*; see dist/report\.html$"),
    ],
)
def test_what_could_not_be_done_weighs_most(
    proved: Report, change: dict[str, Any], code: int, trouble: str | None
) -> None:
    report = replace(proved, **change)
    said = convert_trouble(report, Path("dist"))
    assert proof_code(report) == code
    assert said is None if trouble is None else re.search(trouble, said or "")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["pass"], 0),
        (["pass", "fail"], 4),
        (["pass", "not run"], 3),
        (["fail", "not run"], 3),
        ([], 3),
    ],
)
def test_what_was_not_replayed_is_no_pass(verdicts: list[GoldenVerdict], code: int) -> None:
    replayed = GoldenReplay("golden.npz", VECTORS, tuple(map(row, verdicts)))
    assert golden_code(replayed) == code
    assert (golden_trouble(replayed) is None) is (code == 0)


def test_what_was_not_timed_weighs_more_than_what_does_not_hold() -> None:
    good = benches.ordinary()
    shaky = replace(good, rows=(replace(good.rows[0], verdict="inconclusive", reasons=("noise",)),))
    failed = replace(shaky, failures=(Failed("a.onnx", "litert", "cpu", "it does not open"),))
    accepted = replace(shaky, noise_accepted=True)
    assert not accepted.conclusive
    assert [bench_code(each) for each in (good, shaky, failed, accepted)] == [0, 5, 3, 0]
    assert bench_code(replace(failed, noise_accepted=True)) == 3
    assert [bench_trouble(each) for each in (good, shaky, failed)] == [
        None, None, "a.onnx on litert cpu: it does not open",
    ]  # fmt: skip
