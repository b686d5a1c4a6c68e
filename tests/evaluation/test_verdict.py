"""What a finding in a file does to a verdict on its outputs."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.explanation import Explanation, LayerFinding
from resnet_edge.core.parity import Parity
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement, settled

FINDING = LayerFinding("conv", "conv", 0, "padding", "it is padded by (3, 3, 2, 2)", certain=True)
EXPLANATION = Explanation("net.onnx", 16, 4, 4, (FINDING,), (), ("one layer is not compared",))


def judged(*, by_rounding: bool, backend: str = "onnxruntime") -> Judgement:
    artifact = Artifact("net.onnx", "onnx", "fp32", 1, "", (), ())
    job = Job("onnx", "fp32", ".onnx", False, 80.0, (Target(backend, "cpu"),))
    figures = 0.9, 0.9, 0.0, (-1.6, 1.6), 1.0, 1e-5, 130.0
    row = Parity("net.onnx", backend, "cpu", 240, *figures, "pass", ("within",))
    return Judgement(Evaluation(artifact, job, job.targets[0], Future()), "a.npy", row, by_rounding)


def test_outputs_within_rounding_are_not_contradicted() -> None:
    one = judged(by_rounding=True)
    assert one.contradicted([EXPLANATION]) == one


def test_other_outputs_are() -> None:
    found = judged(by_rounding=False).contradicted([EXPLANATION])
    assert found.parity.verdict == "fail"
    assert found.parity.reasons == (FINDING.sentence, "within")


def test_findings_become_remarks() -> None:
    (found,) = settled([EXPLANATION], [judged(by_rounding=True)])
    assert found.findings == found.contradictions == ()
    assert found.remarks == (FINDING.sentence, "one layer is not compared")


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_but_not_where_one_place_gives_other_outputs(backend: str) -> None:
    rows = [judged(by_rounding=True), judged(by_rounding=False, backend=backend)]
    assert settled([EXPLANATION], rows) == (EXPLANATION,)
    other = replace(EXPLANATION, artifact="other.onnx")
    assert settled([other], [judged(by_rounding=True)]) == (other,)
