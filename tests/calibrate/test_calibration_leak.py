"""What rests on images that a file was calibrated with is no proof."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from resnet_edge.calibrate.calibration_leak import on_new_images
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.core.results.parity import Parity
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement


def judged(scheme: str = "int8", lost: int | None = 0, n: int = 1000) -> Judgement:
    file = f"net.{scheme}.tflite"
    artifact = Artifact(
        path=file, format="tflite", scheme=scheme, size_bytes=1, sha256="", inputs=(), outputs=()
    )
    job = Job(
        format="tflite",
        scheme=scheme,
        suffix=".tflite",
        needs_calibration=True,
        min_sqnr_db=15.0,
        targets=(Target("litert", "cpu"),),
    )
    top1 = None if lost is None else 0.9
    gained = None if lost is None else 0
    row = Parity(
        artifact=file,
        backend="litert",
        device="cpu",
        n=n,
        top1=top1,
        reference_top1=top1,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=1.0,
        max_abs=0.1,
        sqnr_db=30.0,
        verdict="pass",
        reasons=("within",),
        lost=lost,
        gained=gained,
    )
    return Judgement(
        Evaluation(artifact=artifact, job=job, target=job.targets[0], outputs=Future()), "a.npy", row
    )


def lint(leaked: int, n: int) -> CalibrationLint:
    return CalibrationLint(
        n=n,
        source="ours",
        against_n=1000,
        against="theirs",
        findings=(),
        checked=("leakage",),
        figures={"leaked": float(leaked)},
    )


@pytest.mark.parametrize("lost", [0, None])
@pytest.mark.parametrize(
    ("leaked", "n", "verdict"),
    [
        (0, 200, "pass"),
        (3, 200, "pass"),  # the other 997 prove it
        (20, 200, "inconclusive"),  # a tenth of the calibration
        (60, 2000, "inconclusive"),
        (1000, 1000, "inconclusive"),
    ],
)
def test_the_images_that_are_new_must_prove_it(lost: int | None, leaked: int, n: int, verdict: str) -> None:
    (judgement,) = on_new_images([judged(lost=lost)], lint(leaked, n), 0.5)
    assert judgement.parity.verdict == verdict
    if verdict != "pass":
        assert (
            f"{leaked:,} of the 1,000 images of the proof are among the calibration images"
            in (judgement.parity.reasons[0])
        )
        assert "give --data and --calibration different images" in judgement.parity.reasons[0]


def test_the_others_must_suffice() -> None:
    enough, few = judged(n=1000), judged(n=768)  # 768 images just prove it, and 3 less do not
    judgements = on_new_images([enough, few], lint(4, 200), 0.5)
    assert [one.parity.verdict for one in judgements] == ["pass", "inconclusive"]


@pytest.mark.parametrize("scheme", ["fp32", "fp16", "dynamic"])
def test_what_is_not_calibrated_is_not_concerned(scheme: str) -> None:
    (judgement,) = on_new_images([judged(scheme)], lint(1000, 1000), 0.5)
    assert judgement.parity.verdict == "pass"


def test_a_failure_stays_one_and_no_lint_changes_nothing() -> None:
    one = judged()
    failed = replace(one, parity=replace(one.parity, verdict="fail"))
    assert on_new_images([failed], lint(1000, 1000), 0.5) == [failed]
    assert on_new_images([one], None, 0.5) == [one]
