"""Which files `convert` looks into; tests/cli/test_convert_plan.py runs it whole."""

from __future__ import annotations

from concurrent.futures import Future

from resnet_edge.conversion.notes import undiagnosed
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.diagnosis.diagnose import of_failed_files
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement

FP32 = Artifact(
    path="a.fp32.onnx", format="onnx", scheme="fp32", size_bytes=1, sha256="", inputs=(), outputs=()
)
INT8 = Artifact(
    path="a.int8.onnx", format="onnx", scheme="int8", size_bytes=1, sha256="", inputs=(), outputs=()
)


def judged(artifact: Artifact, backend: str, verdict: Verdict) -> Judgement:
    target = Target(backend, "cpu")
    job = Job(
        format="onnx",
        scheme=artifact.scheme,
        suffix=".onnx",
        needs_calibration=artifact is INT8,
        min_sqnr_db=20.0,
        targets=(target,),
    )
    row = Parity(
        artifact=artifact.file,
        backend=backend,
        device="cpu",
        n=9,
        top1=None,
        reference_top1=None,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=None,
        max_abs=None,
        sqnr_db=None,
        verdict=verdict,
        reasons=("reason",),
    )
    return Judgement(Evaluation(artifact=artifact, job=job, target=target, outputs=Future()), "a.npy", row)


def test_a_file_that_failed_anywhere_is_looked_into_everywhere() -> None:
    rows = [
        judged(FP32, "onnxruntime", "inconclusive"),
        judged(INT8, "onnxruntime", "pass"),
        judged(INT8, "openvino", "fail"),
    ]
    assert of_failed_files(rows) == rows[1:]
    assert of_failed_files(rows[:2]) == []


def test_what_is_left_out_is_said_in_one_note() -> None:
    assert undiagnosed([FP32, INT8], frozenset({FP32.file, INT8.file})) == []
    (none,) = undiagnosed([FP32, INT8], frozenset())
    assert none.startswith("layers were not compared")
    (some,) = undiagnosed([FP32, INT8], frozenset({INT8.file}))
    assert "of the files that did not fail" in some
    assert "--thorough" in some
