"""What is known of OpenCV."""

from __future__ import annotations

import onnx
import pytest

from resnet_edge.compatibility.onnx import minimums
from tests.compatibility.onnx_models import MICROSOFT, constant, model, node


@pytest.mark.parametrize(
    ("file", "state", "version"),
    [
        (model([node("Relu")]), "unknown", ""),
        (model([node("Gemm", "x", "w")], constants=(constant("float32"),)), "at least", "4.7"),
        (model([node("Gemm", "x", "w", transB=1)], constants=(constant("float32"),)), "unknown", ""),
        (model([node("MatMul", "x", "w")], constants=(constant("float16"),)), "at least", "4.7"),
        (model([node("QLinearSoftmax", domain="com.microsoft")], domains=MICROSOFT), "at least", "4.8"),
        (model([node("DynamicQuantizeLinear")]), "unknown", ""),
    ],
)
def test_what_is_known_of_opencv(file: onnx.ModelProto, state: str, version: str) -> None:
    minimum = minimums(file)[1]
    assert (minimum.runtime, minimum.state, minimum.version) == ("OpenCV", state, version)
    assert minimum.why
