"""verification/files.py: what the files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import ArtifactError
from tests.verification.looking import identified


def test_what_is_no_artifact_stops_no_other(apart: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no protobuf")
    files = identified(bad, apart)
    assert [Path(one.path).name for one in files.artifacts] == ["apart.onnx"]
    assert len(files.targets) == len(files.min_sqnr_db) == len(files.beside) == 1
    assert [failure.what for failure in files.failures] == ["bad.onnx"]
    with pytest.raises(ArtifactError, match=r"bad\.onnx"):
        identified(bad)
    with pytest.raises(ArtifactError, match=r"bad\.onnx"):
        identified(bad, bad)


def test_what_is_wrong_is_told_of_the_file_that_people_know(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"odd")
    with pytest.raises(ArtifactError, match="bad") as caught:
        identified(tmp_path / "bad.tflite")
    assert str(tmp_path / "bad.tflite") in str(caught.value)
