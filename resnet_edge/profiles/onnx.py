"""ONNX Runtime: the very bytes that `convert` proved."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.bundle import Scores
from resnet_edge.graph.app_border import Border

TITLE = "ONNX Runtime, on phones, servers, in Node.js and the browser"
FORMAT = "onnx"
SCHEMES = ("int8", "fp32")
BACKENDS = ("onnxruntime", "onnxruntime_node", "onnxruntime_web")
METADATA = False


def border(scheme: str, output: Scores) -> Border | None:
    """None: the bytes stay."""
    return None


def companions(model: Path, name: str) -> dict[str, str]:
    """Nothing more."""
    return {}
