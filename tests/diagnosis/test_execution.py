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
