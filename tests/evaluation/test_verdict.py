"""What a finding in a file does to a verdict on its outputs."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.explanation import Explanation, LayerFinding
from resnet_edge.core.results.parity import Parity
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement, settled

FINDING = LayerFinding(
    layer="conv",
    reference_layer="conv",
    order=0,
    cause="padding",
    sentence="it is padded by (3, 3, 2, 2)",
    certain=True,
)
EXPLANATION = Explanation(
    artifact="net.onnx",
    n=16,
    layers=4,
    compared=4,
    findings=(FINDING,),
    trace=(),
    remarks=("one layer is not compared",),
)


def judged(*, by_rounding: bool, backend: str = "onnxruntime") -> Judgement:
    artifact = Artifact(
        path="net.onnx", format="onnx", scheme="fp32", size_bytes=1, sha256="", inputs=(), outputs=()
    )
    job = Job(
        format="onnx",
        scheme="fp32",
        suffix=".onnx",
        needs_calibration=False,
        min_sqnr_db=80.0,
        targets=(Target(backend, "cpu"),),
    )
    row = Parity(
        artifact="net.onnx",
        backend=backend,
        device="cpu",
        n=240,
        top1=0.9,
        reference_top1=0.9,
        drop_pp=0.0,
        drop_ci95_pp=(-1.6, 1.6),
        agreement=1.0,
        max_abs=1e-5,
        sqnr_db=130.0,
        verdict="pass",
        reasons=("within",),
    )
    return Judgement(
        Evaluation(artifact=artifact, job=job, target=job.targets[0], outputs=Future()),
        "a.npy",
        row,
        by_rounding,
    )


def test_outputs_within_rounding_are_not_contradicted() -> None:
    one = judged(by_rounding=True)
    assert one.contradicted([EXPLANATION]) == one


def test_other_outputs_are() -> None:
    judgement = judged(by_rounding=False).contradicted([EXPLANATION])
    assert judgement.parity.verdict == "fail"
    assert judgement.parity.reasons == (FINDING.sentence, "within")


def test_findings_become_remarks() -> None:
    (judgement,) = settled([EXPLANATION], [judged(by_rounding=True)])
    assert judgement.findings == judgement.contradictions == ()
    assert judgement.remarks == (FINDING.sentence, "one layer is not compared")


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_but_not_where_one_place_gives_other_outputs(backend: str) -> None:
    rows = [judged(by_rounding=True), judged(by_rounding=False, backend=backend)]
    assert settled([EXPLANATION], rows) == (EXPLANATION,)
    other = replace(EXPLANATION, artifact="other.onnx")
    assert settled([other], [judged(by_rounding=True)]) == (other,)
