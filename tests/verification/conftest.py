"""Files to verify."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.backends import tiny


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """An ONNX file whose weights are in another file."""
    tiny.write_onnx(tmp_path)
    model = onnx.load(tmp_path / "fixed.onnx")
    path = tmp_path / "apart.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path
