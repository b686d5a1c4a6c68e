"""Whether int8 really ran: what runtimes tell, beside what files state."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.results.execution import Execution
from resnet_edge.diagnosis.execution import executed
from resnet_edge.diagnosis.integers_task import ReadExecution
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.diagnosis.overflow.test_emulation import written

PLAIN_MACS = 9 * 9 * (8 * 36 + 8 * 72) + 8 * 5


def ran(path: Path, backend: str) -> Execution:
    task = ReadExecution(
        file=path.name, path=str(path), format=path.suffix[1:], backend=backend, device="cpu"
    )
    execution = executed(task, silent).execution
    assert execution is not None
    return execution


def test_int8_that_runs_whole(tmp_path: Path) -> None:
    execution = ran(written(tmp_path, "plain"), "onnxruntime")
    assert execution.macs == execution.stated_int8_macs == execution.int8_macs == PLAIN_MACS
    assert execution.in_float == ()
    assert execution.missing == 0
    kinds = {(row.op, row.precision.split()[0], row.by) for row in execution.operators if row.macs}
    # Where pairs could overflow, a session stores weights as uint8, too.
    assert kinds == {("QLinearConv", "uint8", "CPU"), ("QGemm", "uint8", "CPU")}


def test_a_layer_that_is_left_in_float_is_named(tmp_path: Path) -> None:
    execution = ran(written(tmp_path, "plain", first_bias=2.0), "onnxruntime")
    assert execution.stated_int8_macs == PLAIN_MACS
    assert execution.int8_macs == PLAIN_MACS - 9 * 9 * 8 * 36
    assert execution.in_float == ("conv0",)


@pytest.mark.parametrize(
    ("backend", "by"), [("litert", "XNNPACK"), ("litert_reference", "LiteRT's reference kernels")]
)
def test_delegate_of_a_tflite_file(backend: str, by: str, tmp_path: Path) -> None:
    execution = ran(tiny.write_all(tmp_path) / "fixed.tflite", backend)
    assert execution.stated_int8_macs == execution.int8_macs == 0
    assert {row.by for row in execution.operators} == {by}


def test_a_backend_that_does_not_tell(tmp_path: Path) -> None:
    path = tiny.write_all(tmp_path) / "fixed.onnx"
    task = ReadExecution(file=path.name, path=str(path), format="keras", backend="keras", device="cpu")
    assert executed(task, silent).execution is None
