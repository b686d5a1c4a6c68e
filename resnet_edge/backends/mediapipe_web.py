"""MediaPipe Tasks' ImageClassifier in headless Chromium, on WebAssembly.

It takes 8-bit RGB images at the size of the model's input, as ImageData. Scores come as float32, whatever
the file gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnet_edge.backends import _mediapipe_files
from resnet_edge.backends._border import check_device
from resnet_edge.backends._web import session as web_session
from resnet_edge.backends._web.packages import require
from resnet_edge.core.artifact import TensorSpec

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu"})
KERNELS = "xnnpack"
IN_BROWSER = True
ENDS = _mediapipe_files.ENDS
FIXED_BATCH = True
FOR_PARITY_ONLY = True
RGB_ONLY = True
start = web_session.start

_VERSION = require(
    "mediapipe_web",
    "@mediapipe/tasks-vision",
    "vision_bundle.mjs",
    "wasm/vision_wasm_internal.js",
    "wasm/vision_wasm_internal.wasm",
)


def version() -> str:
    """The version of the runtime."""
    return _VERSION


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[web_session.WebSession]:
    """Open a .tflite file that takes RGB images. Raises DeviceUnavailable, ArtifactError."""
    check_device("mediapipe_web", device, DEVICES, "its WebGL would resize on the GPU")
    ends = _mediapipe_files.ends_of(path)
    with web_session.open_declared(_RUNTIME, path, ends) as session:
        yield session


def _fix(reason: str) -> str:
    return _mediapipe_files.FIX


def _refuse(path: Path, device: str, image: TensorSpec, scores: TensorSpec) -> None:
    """Nothing: what it opens it runs."""


_RUNTIME = web_session.Runtime(
    backend="mediapipe_web",
    module="mediapipe_web.mjs",
    format="TFLite for MediaPipe",
    fix=_fix,
    refuse=_refuse,
    prepared=_mediapipe_files.pixels,
)
