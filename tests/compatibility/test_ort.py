"""What an .ort file says."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from resnet_edge.compatibility import ort
from tests.compatibility.onnx_models import model, node


def test_an_ort_file_tells_its_format_and_operators(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.optimized_model_filepath = str(tmp_path / "a.ort")
    file = model([node("Relu")], opset=17, ir=8).SerializeToString()
    onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    content = (tmp_path / "a.ort").read_bytes()
    minimum = ort.minimum(content)
    assert (minimum.state, minimum.version) == ("known", "1.16")
    assert "version 6 of the .ort format" in minimum.why
    with pytest.raises(Exception, match="."):
        ort.minimum(content[:40])
