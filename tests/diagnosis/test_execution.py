"""Whether int8 really ran: what runtimes tell, beside what files state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.parity import Parity
from resnet_edge.diagnosis.execution import executed
from resnet_edge.diagnosis.integers import Integers
from resnet_edge.diagnosis.integers_task import ReadExecution
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.diagnosis.overflow.test_emulation import written

PLAIN_MACS = 9 * 9 * (8 * 36 + 8 * 72) + 8 * 5


def ran(path: Path, backend: str) -> Execution:
    asked = ReadExecution(
        file=path.name, path=str(path), format=path.suffix[1:], backend=backend, device="cpu"
    )
    found = executed(asked, silent).execution
    assert found is not None
    return found


def test_int8_that_runs_whole(tmp_path: Path) -> None:
    found = ran(written(tmp_path, "plain"), "onnxruntime")
    assert found.macs == found.stated_int8_macs == found.int8_macs == PLAIN_MACS
    assert found.in_float == ()
    assert found.missing == 0
    kinds = {(row.op, row.precision.split()[0], row.by) for row in found.operators if row.macs}
    # Where pairs could overflow, a session stores weights as uint8, too.
    assert kinds == {("QLinearConv", "uint8", "CPU"), ("QGemm", "uint8", "CPU")}


def test_a_layer_that_is_left_in_float_is_named(tmp_path: Path) -> None:
    found = ran(written(tmp_path, "plain", first_bias=2.0), "onnxruntime")
    assert found.stated_int8_macs == PLAIN_MACS
    assert found.int8_macs == PLAIN_MACS - 9 * 9 * 8 * 36
    assert found.in_float == ("conv0",)


@pytest.mark.parametrize(
    ("backend", "by"), [("litert", "XNNPACK"), ("litert_reference", "LiteRT's reference kernels")]
)
def test_delegate_of_a_tflite_file(backend: str, by: str, tmp_path: Path) -> None:
    found = ran(tiny.write_all(tmp_path) / "fixed.tflite", backend)
    assert found.stated_int8_macs == found.int8_macs == 0
    assert {row.by for row in found.operators} == {by}


def test_a_backend_that_does_not_tell(tmp_path: Path) -> None:
    path = tiny.write_all(tmp_path) / "fixed.onnx"
    asked = ReadExecution(file=path.name, path=str(path), format="keras", backend="keras", device="cpu")
    assert executed(asked, silent).execution is None


def judged() -> Judgement:
    artifact = Artifact(
        path="net.onnx", format="onnx", scheme="int8", size_bytes=1, sha256="0", inputs=(), outputs=()
    )
    target = Target("onnxruntime", "cpu")
    job = Job(
        format="onnx",
        scheme="int8",
        suffix=".onnx",
        needs_calibration=False,
        min_sqnr_db=20.0,
        targets=(target,),
    )
    row = Parity(
        artifact="net.onnx",
        backend="onnxruntime",
        device="cpu",
        n=10,
        top1=None,
        reference_top1=None,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=1.0,
        max_abs=0.0,
        sqnr_db=40.0,
        verdict="pass",
        reasons=("fine",),
    )
    # Verdicts that are there already wait for no outputs: the future is never looked at.
    return Judgement(Evaluation(artifact, job, target, None), "", row)  # type: ignore[arg-type]  # no future: nothing waits for it


EXECUTION = Execution(
    artifact="net.onnx",
    backend="onnxruntime",
    device="cpu",
    macs=100,
    stated_int8_macs=100,
    int8_macs=100,
    operators=(),
)


def test_a_silent_fallback_is_told_and_changes_no_verdict() -> None:
    """It shows in no answer, and costs time alone."""
    fell = replace(EXECUTION, int8_macs=60, in_float=("conv0", "conv3"))
    row = Integers((fell,), (), ()).beside(judged()).parity
    assert row.verdict == "pass"
    assert row.reasons[0] == "fine"
    assert row.reasons[1].startswith(
        "onnxruntime computes 40.0 % of what the file multiplies in integers in float"
    )
    assert "conv0 and 1 more layers" in row.reasons[1]


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(EXECUTION, int8_macs=0, backend="openvino"),
        replace(EXECUTION, int8_macs=0, artifact="other.onnx"),
        replace(EXECUTION, int8_macs=0, device="cuda"),
    ],
)
def test_what_ran_elsewhere_does_not_count(elsewhere: Execution) -> None:
    assert Integers((elsewhere,), (), ()).beside(judged()) == judged()
