"""Damaged files: read or refused, whatever they refer to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import load_model, save_model
from resnet_edge.inspection.probe import FOLDER
from tests.backends import tiny
from tests.inspection.looking import inspected


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_broken_files_are_read_or_refused(tmp_path: Path, suffix: str, seed: int) -> None:
    raw = np.frombuffer((FOLDER / f"probe.{suffix}").read_bytes(), np.uint8).copy()
    random = np.random.default_rng(seed)
    raw[random.integers(8, len(raw), 20)] = random.integers(0, 256, 20)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(raw.tobytes())
    with suppress(ArtifactError):
        inspected(path)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_scale_that_is_no_number_is_damage(tmp_path: Path, number: float) -> None:
    model = load_model(FOLDER / "probe.tflite")
    graph = model.subgraphs[0]
    scale = schema.QuantizationParametersT()
    scale.scale, scale.zeroPoint = np.array([number], np.float32), np.array([0])
    graph.tensors[graph.inputs[0]].quantization = scale
    graph.tensors[graph.inputs[0]].type = schema.TensorType.UINT8
    save_model(model, tmp_path / "a.tflite")
    with pytest.raises(ArtifactError, match="not finite"):
        inspected(tmp_path / "a.tflite")


def test_what_any_file_has_is_told_of_it(tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)
    path = tmp_path / "fixed.onnx"
    inspection = inspected(path)
    assert (inspection.file, inspection.format, inspection.layout) == ("fixed.onnx", "onnx", "NHWC")
    assert (inspection.size_bytes, inspection.sha256) == (path.stat().st_size, sha256_of(path))
