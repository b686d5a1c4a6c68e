"""Whether a file runs on the oldest runtimes that were asked for, by what stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.conversion.runtime_check import check
from resnet_edge.core.errors import UnsupportedScheme
from resnet_edge.core.runtime_floor import floors
from tests.backends import tiny


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))


@pytest.mark.parametrize(
    ("file", "runtimes"),
    [
        ("fixed.tflite", ""),
        ("fixed.tflite", "tflite>=2.5,litert>=1.0,tflite_micro>=2023"),
        ("fixed.tflite", "onnxruntime>=0.1"),
        ("fixed.onnx", "onnxruntime>=1.12,tflite>=1.0"),
    ],
)
def test_what_runs_there_is_let_through(artifacts: Path, file: str, runtimes: str) -> None:
    check(artifacts / file, file.rpartition(".")[2], "fp32", floors(runtimes) if runtimes else ())


@pytest.mark.parametrize(
    ("file", "runtimes", "says"),
    [
        (
            "fixed.tflite",
            "tflite>=1.5",
            r"fixed.tflite needs TensorFlow Lite 1\.\d+ \(.*\), and --runtimes",
        ),
        ("fixed.onnx", "onnxruntime>=1.11", r"needs ONNX Runtime 1\.12 \(its operators are of set 17\)"),
        (
            "fixed.onnx",
            "onnxruntime>=1.11",
            r"for onnxruntime>=1\.11: ask for onnxruntime>=1\.12, or leave",
        ),
    ],
)
def test_what_does_not_is_one_line_with_the_way_out(
    artifacts: Path, file: str, runtimes: str, says: str
) -> None:
    with pytest.raises(UnsupportedScheme, match=says) as caught:
        check(artifacts / file, file.rpartition(".")[2], "fp32", floors(runtimes))
    assert "\n" not in str(caught.value)
    assert "fp32 out of --schemes" in str(caught.value)
