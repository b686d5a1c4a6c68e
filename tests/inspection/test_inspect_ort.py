"""What onnxruntime tells of .ort files."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import ArtifactError
from tests.backends import tiny
from tests.inspection.looking import inspected


def test_an_ort_file_is_told_by_onnxruntime(tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = ort.SessionOptions()
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.optimized_model_filepath = str(tmp_path / "a.ort")
    ort.InferenceSession(str(tmp_path / "dynamic.onnx"), options, providers=["CPUExecutionProvider"])
    inspection = inspected(tmp_path / "a.ort")
    assert (inspection.inputs[0].shape, inspection.inputs[0].dtype) == ((None, 8, 8, 1), "float32")
    assert (inspection.ops, inspection.parameter_bytes) == (None, None)
    (tmp_path / "cut.ort").write_bytes((tmp_path / "a.ort").read_bytes()[:500])
    with pytest.raises(ArtifactError, match="does not open"):
        inspected(tmp_path / "cut.ort")


def test_a_file_without_the_mark_is_not_given_to_onnxruntime(tmp_path: Path) -> None:
    for content in (b"", b"short", b"0123TFL3" + bytes(99)):
        (tmp_path / "a.ort").write_bytes(content)
        with pytest.raises(
            ArtifactError, match=r"a\.ort is not an \.ort file \(no ORTM mark\): copy it again"
        ):
            inspected(tmp_path / "a.ort")
