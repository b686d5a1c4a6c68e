"""ONNX Runtime Web in headless Chromium: on WebAssembly (`cpu`) and on WebGPU (`gpu`)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from resnet_edge.backends._web import session as web_session
from resnet_edge.backends._web.packages import require
from resnet_edge.core.artifact import TensorSpec

FORMATS = frozenset({"onnx"})
DEVICES = web_session.DEVICES
KERNELS = "onnxruntime"
IN_BROWSER = True
start = web_session.start

_DIST = "dist/ort-wasm-simd-threaded"
_VERSION = require(
    "onnxruntime_web",
    "onnxruntime-web",
    "dist/ort.wasm.min.mjs",
    "dist/ort.webgpu.min.mjs",
    *(f"{_DIST}{kind}.{suffix}" for kind in ("", ".asyncify") for suffix in ("mjs", "wasm")),
)


def version() -> str:
    """The version of the runtime."""
    return _VERSION


def open_session(path: Path, device: str, threads: int) -> AbstractContextManager[web_session.WebSession]:
    """Open an .onnx or .ort file. Raises DeviceUnavailable, ArtifactError."""
    return web_session.open_session(_RUNTIME, path, device, threads)


def _fix(reason: str) -> str:
    return "copy or convert it again"


def _refuse(path: Path, device: str, image: TensorSpec, scores: TensorSpec) -> None:
    """Nothing: what it opens it runs."""


_RUNTIME = web_session.Runtime(
    backend="onnxruntime_web", module="onnxruntime_web.mjs", format="ONNX", fix=_fix, refuse=_refuse
)
