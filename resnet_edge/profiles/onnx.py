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
    """The same for all."""
    return ("onnxruntime", "onnxruntime_node", "onnxruntime_web")


def border(scheme: str, output: Scores) -> Border | None:
    """None: the bytes stay."""
    return None


def companions(model: Path, name: str) -> dict[str, str]:
    """Nothing more."""
    return {}
