"""Weights that stand beside an ONNX file."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from resnet_edge.graph.external_data import external_files, stored_bytes
from tests.backends import tiny


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    tiny.write_onnx(tmp_path)
    source = tmp_path / "fixed.onnx"
    out = tmp_path / "apart.onnx"
    onnx.save(onnx.load(source), out, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return out


def test_what_stands_beside_a_file_counts_as_far_as_it_is_there(apart: Path) -> None:
    model = onnx.load(apart, load_external_data=False)
    weights = apart.with_name("weights.bin")
    assert external_files(model) == {"weights.bin"}
    assert stored_bytes(apart, model) == apart.stat().st_size + weights.stat().st_size > apart.stat().st_size
    weights.unlink()
    assert stored_bytes(apart, model) == apart.stat().st_size
