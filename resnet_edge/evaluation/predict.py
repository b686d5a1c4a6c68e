"""Runs in a worker. Run an artifact on every image and keep its outputs as real numbers."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.backends import Backend, Session
from resnet_edge.core import registry
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.data.encoded import ImageRows
from resnet_edge.data.image_file import open_images
from resnet_edge.data.pixels import preprocessed
from resnet_edge.evaluation.predict_task import Predict, PredictResult
from resnet_edge.graph.loops import has_loop
from resnet_edge.workers.loop_time import ANNOUNCEMENTS
from resnet_edge.workers.progress import OnProgress, tracked

BATCH_BYTES = 4 << 20
LARGEST_BATCH = 64


def predict(request: Predict, on_progress: OnProgress) -> PredictResult:
    """Run all images; one that fails stops the run. Raises ArtifactError, DataError, DeviceUnavailable."""
    images = open_images(Path(request.images))
    with opened(request) as session:
        step = f"{Path(request.path).name} on {request.backend}"
        return outputs_of(session, images, request, request.out, step, on_progress)


def opened(request: Predict) -> AbstractContextManager[Session]:
    """The session of an artifact. Raises UnknownName, MissingDependency, ArtifactError, DeviceUnavailable."""
    backend = load_backend(request.backend, request.format, request.path)
    return backend.open_session(Path(request.path), request.device, request.threads)


def outputs_of(
    session: Session,
    images: ImageRows,
    request: Predict,
    out: str,
    step: str,
    on_progress: OnProgress,
) -> PredictResult:
    """The outputs for `images` (N, H, W, C), into `out`. Raises ArtifactError, DataError."""
    began = time.monotonic()
    image, scores = _quantized(session.input, request.ends[0]), _quantized(session.output, request.ends[1])
    check_images(images, image)
    classes = scores.shape[1]
    assert classes is not None  # backends open nothing else
    outputs = open_memmap(out, mode="w+", dtype=np.float32, shape=(len(images), classes))
    size = _batch_size(session, images)
    run = getattr(session, "each", session.run)
    starts = range(0, len(images), size)
    for start in tracked(starts, step, len(starts), on_progress):
        batch = images[start : start + size]
        if request.preprocessing is not None:
            batch = preprocessed(batch, request.preprocessing)
        outputs[start : start + size] = dequantize(run(stored(batch, image)), scores)
    outputs.flush()
    labels = tuple(getattr(session, "labels", ()))
    seconds = time.monotonic() - began
    return PredictResult(
        out=out,
        n=len(images),
        seconds=seconds,
        device=session.device,
        input_dtype=session.input.dtype,
        classes=classes,
        labels=labels,
    )


def _quantized(spec: TensorSpec, known: Quantization | None) -> TensorSpec:
    """The runtime's own word where it has one."""
    if spec.quantization is not None or np.dtype(spec.dtype).kind == "f":
        return spec
    return replace(spec, quantization=known)


def load_backend(name: str, format: str, path: str) -> Backend:
    """The backend `name`, which is to open the file at `path` next: one with a loop is timed from now on.
    Raises UnknownName, MissingDependency; ArtifactError for another format."""
    backend: Any = registry.load("backends", name)
    if format not in backend.FORMATS:
        known = ", ".join(sorted(backend.FORMATS))
        raise ArtifactError(
            f"{name} opens {known} and not {format}: run {Path(path).name} on another backend"
        )
    if has_loop(path):
        ANNOUNCEMENTS.loop(Path(path).name)
    module: Backend = backend
    return module


def check_images(images: ImageRows, spec: TensorSpec) -> None:
    """Raise DataError unless the images have the height, width and channels of the input, in either order."""
    if tuple(spec.shape[1:]) != images.shape[1:] and not spec.channels_first(images.shape[1:]):
        have, need = ("x".join(map(str, shape)) for shape in (images.shape[1:], spec.shape[1:]))
        raise DataError(f"the images are {have}, and the artifact takes {need}: resize them first")


def stored(pixels: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Pixels (N, H, W, C) as the input stores them, contiguous: with the channels where it has them, and as
    they are, cast, or quantized.

    An integer input without a scale takes uint8 pixels as they are. Raises DataError.
    """
    if spec.channels_first(pixels.shape[1:]):
        pixels = pixels.transpose(0, 3, 1, 2)
    if spec.quantization is None and spec.dtype == pixels.dtype.name:
        return np.ascontiguousarray(pixels)
    if spec.quantization is None and np.dtype(spec.dtype).kind != "f":
        raise DataError(f"the artifact takes {spec.dtype} pixels, and the images are {pixels.dtype}")
    return np.ascontiguousarray(quantize(pixels, spec))


def _batch_size(session: Session, images: ImageRows) -> int:
    """One where the artifact says one and the session takes no more on one way, else as many as are worth
    a call."""
    fixed = session.input.shape[0]
    if fixed is None or (fixed == 1 and hasattr(session, "each")):
        return int(max(1, min(LARGEST_BATCH, BATCH_BYTES // (4 * int(np.prod(images.shape[1:]))))))
    if fixed != 1:
        raise ArtifactError(
            f"the artifact takes {fixed} images at a time: convert it with batch 1 or dynamic"
        )
    return 1
