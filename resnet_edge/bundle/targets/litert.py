"""LiteRT's Interpreter and CompiledModel: the very bytes that `convert` proved."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.targets import Variant
from resnet_edge.core.head import Head
from resnet_edge.graph.io_adapter import Border

TITLE = "LiteRT's Interpreter and CompiledModel, on Android, iOS, Linux and the web"
FORMAT = "tflite"
SCHEMES = ("int8", "fp16", "fp32")
ON_REQUEST = ("dynamic", "int16x8")
ON_GPU = ("fp16", "fp32")
METADATA = False
CHANNELS = None
PHONES = True
PINNED = ("tflite",)


def runtimes(scheme: str) -> tuple[str, ...]:
    """The reference kernels tell how much kernels matter, which is a matter of int8. So is ARM here:
    emulated, an image of the bundled ResNet-20 takes 24 ms in int8, and 288 ms in float32, where it would
    tell of rounding alone."""
    everywhere = ("litert", "litert_js")
    return (*everywhere, "litert_arm64", "litert_reference") if scheme == "int8" else everywhere


def border(scheme: str, head: Head) -> Border | None:
    """None: the bytes stay."""
    return None


def variants(model: Path) -> tuple[Variant, ...]:
    """None."""
    return ()


def companions(model: Path, name: str) -> dict[str, str]:
    """Nothing more."""
    return {}


def delegates(scheme: str) -> tuple[str, ...]:
    """All that LiteRT has for phones."""
    return ("xnnpack", "litert_gpu", "litert_npu_qualcomm", "litert_npu_mediatek", "coreml")
