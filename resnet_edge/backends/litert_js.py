"""LiteRT.js in headless Chromium: on WebAssembly (`cpu`, XNNPACK) and on WebGPU (`gpu`)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from resnet_edge.backends._web import session as web_session
from resnet_edge.backends._web.packages import require
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable

FORMATS = frozenset({"tflite"})
DEVICES = web_session.DEVICES
KERNELS = "xnnpack"
SAME_SCORES = "integers"
IN_BROWSER = True
start = web_session.start
ENDS = frozenset({"float32", "uint8"})
FIXED_BATCH = True

_WASM = "wasm/litert_wasm"
_VERSION = require(
    "litert_js",
    "@litertjs/core",
    "dist/index.js",
    "../wasm-utils/dist/index.js",
    *(f"{_WASM}{kind}_internal.{suffix}" for kind in ("", "_threaded") for suffix in ("js", "wasm")),
)


def version() -> str:
    """The version of the runtime."""
    return _VERSION


def open_session(path: Path, device: str, threads: int) -> AbstractContextManager[web_session.WebSession]:
    """Open a .tflite file. Raises DeviceUnavailable, ArtifactError."""
    return web_session.open_session(_RUNTIME, path, device, threads)


def _fix(reason: str) -> str:
    if "Element type" in reason:
        return "it takes and gives float32 and uint8 alone: convert with --io float32 or --io uint8"
    return "copy or convert it again"


def _refuse(path: Path, device: str, image: TensorSpec, scores: TensorSpec) -> None:
    if image.shape[0] is None:
        raise ArtifactError(
            f"{path} takes any number of images, and LiteRT.js a fixed one: convert without --dynamic-batch"
        )
    if device != "cpu" and {image.dtype, scores.dtype} != {"float32"}:
        # It opens them, and a run ends with "Asyncify is not defined" (2.5.3).
        raise DeviceUnavailable(
            f"{path} takes {image.dtype} and gives {scores.dtype}, and LiteRT.js has float32 alone on "
            f"{device}: use the device cpu"
        )


_RUNTIME = web_session.Runtime(
    backend="litert_js", module="litert_js.mjs", format="TFLite", fix=_fix, refuse=_refuse
)
