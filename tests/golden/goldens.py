"""Golden vectors of the tiny network, as `verify` would save them: from files of its own runs.

The network as it stands gives noise one class; here it tells five apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

from resnet_edge.core.head import Head
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.golden.task import MeasuredArtifact, MeasuredRun, SaveGoldenVectors
from resnet_edge.workers.progress import silent
from tests.backends import tiny

N = 60


@contextmanager
def discerning() -> Iterator[None]:
    """The tiny network without the direction in which all images are alike, and the rest twenty times."""
    with mock.patch.object(tiny, "MATRIX", np.eye(4)):
        common = np.linalg.svd(tiny.logits(tiny.pixels(200)))[2][0]
    matrix = 20 * (np.eye(4) - np.outer(common, common)) @ tiny.MATRIX
    with mock.patch.object(tiny, "MATRIX", matrix.astype(np.float32)):
        yield


def write(folder: Path, *formats: str) -> Path:
    """The files of the tiny network that tells five classes apart."""
    with discerning():
        for format in formats:
            {"tflite": tiny.write_tflite, "onnx": tiny.write_onnx}[format](folder)
    return folder


BACKENDS = {"tflite": "litert", "onnx": "onnxruntime"}
SCHEMES = {"fixed.tflite": "fp32", "int8.tflite": "int8", "fixed.onnx": "fp32", "uint8.onnx": "int8"}


def measured(path: Path, folder: Path, *backends: str) -> MeasuredArtifact:
    """An artifact, run on images.npy in `folder`, on its first backend where none is named."""
    format = path.suffix[1:]
    runs = []
    for backend in backends or (BACKENDS[format],):
        out = str(folder / f"{path.name}.{backend}.npy")
        images = str(folder / "images.npy")
        predict(
            Predict(
                path=str(path),
                format=format,
                backend=backend,
                device="cpu",
                threads=1,
                images=images,
                out=out,
            ),
            silent,
        )
        runs.append(MeasuredRun(backend, "cpu", out))
    return MeasuredArtifact(path=str(path), format=format, scheme=SCHEMES[path.name], runs=tuple(runs))


def prepare(folder: Path, n: int = N) -> None:
    """images.npy, labels.npy (the answers) and reference.npy in `folder`."""
    pixels = tiny.pixels(n)
    with discerning():
        reference = tiny.logits(pixels).astype(np.float32)
    np.save(folder / "images.npy", pixels)
    np.save(folder / "reference.npy", reference)
    np.save(folder / "labels.npy", reference.argmax(axis=1))


def request(folder: Path, *artifacts: MeasuredArtifact, count: int = 12) -> SaveGoldenVectors:
    """Save golden.npz in `folder`."""
    return SaveGoldenVectors(
        out=str(folder / "golden.npz"),
        count=count,
        images=str(folder / "images.npy"),
        labels=str(folder / "labels.npy"),
        reference=str(folder / "reference.npy"),
        artifacts=artifacts,
        model="tiny",
        model_sha256="0" * 64,
        data="noise",
        data_sha256="1" * 64,
        head=Head.of_outputs(np.load(folder / "reference.npy").shape[1], "logits"),
        class_names=(),
    )
