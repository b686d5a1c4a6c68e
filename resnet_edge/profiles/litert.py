"""LiteRT's Interpreter and CompiledModel: the very bytes that `convert` proved."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.bundle import Scores
from resnet_edge.graph.app_border import Border

TITLE = "LiteRT's Interpreter and CompiledModel, on Android, iOS, Linux and the web"
FORMAT = "tflite"
SCHEMES = ("int8", "fp16", "fp32")
BACKENDS = ("litert", "litert_reference", "litert_js")
METADATA = False


def border(scheme: str, output: Scores) -> Border | None:
    """None: the bytes stay."""
    return None


def companions(model: Path, name: str) -> dict[str, str]:
    """Nothing more."""
    return {}
