"""ONNX Runtime: the very bytes that `convert` proved."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.bundle import Scores
from resnet_edge.graph.app_border import Border

TITLE = "ONNX Runtime, on phones, servers, in Node.js and the browser"
FORMAT = "onnx"
SCHEMES = ("int8", "fp32")
METADATA = False


def runtimes(scheme: str) -> tuple[str, ...]:
    """ARM where it is quick enough to emulate: 288 ms for an image of the bundled ResNet-20 in float32, and a
    twelfth of that in int8."""
    everywhere = ("onnxruntime", "onnxruntime_node", "onnxruntime_web")
    return (*everywhere, "onnxruntime_arm64") if scheme == "int8" else everywhere


def border(scheme: str, output: Scores) -> Border | None:
    """None: the bytes stay."""
    return None


def companions(model: Path, name: str) -> dict[str, str]:
    """Nothing more."""
    return {}
