"""The files of golden scores in a bundle."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.bundle.scores import golden, pick
from resnet_edge.bundle.task import GoldenWritten, Picked, PickGoldenImages, WriteGoldenVectors
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.evaluation.outputs import as_probabilities as softmax
from resnet_edge.workers.progress import silent

CLASSES = 21841
IMAGE = TensorSpec("image", (1, 8, 8, 3), "float32")
LOGITS = TensorSpec("logits", (1, CLASSES), "float32")
FILE = BundledFile(
    path="litert/x.int8.tflite",
    profile="litert",
    format="tflite",
    scheme="int8",
    size_bytes=7,
    sha256="aa",
    input=IMAGE,
    output=LOGITS,
    scores="logits",
    source="x.int8.tflite",
    source_sha256="bb",
)


def golden_of(
    folder: Path, scores: NDArray[Any], measured: dict[str, float] | None = None, file: BundledFile = FILE
) -> GoldenWritten:
    """Files that are as `file`, for three profiles; the third one gives other scores."""
    files = (
        file,
        replace(file, path="mcu/x.int8.tflite", profile="mcu"),
        replace(file, path="android-tasks/x.int8.tflite", scores="probabilities"),
    )
    images = folder / "golden/images"
    images.mkdir(parents=True)
    np.save(folder / "images.npy", np.zeros((3, 8, 8, 3), np.uint8))
    expected = []
    for number, each in enumerate(files):
        np.save(folder / f"{number}.npy", scores if each.scores == "logits" else softmax(scores))
        expected.append(str(folder / f"{number}.npy"))
    for name in ("00.png", "01.png"):
        (images / name).write_bytes(b"a picture")
    picked = Picked((2, 0), ("00.png", "01.png"), (None, None))
    differences = tuple(measured or {"litert": 0.0} for _ in files)
    task = WriteGoldenVectors(
        picked=picked,
        images=str(folder / "images.npy"),
        folder=str(images),
        files=files,
        head=Head.of_classes(CLASSES, "logits"),
        anchors=(expected[0],) * len(files),
        expected=tuple(expected),
        measured=differences,
    )
    return golden(task, silent)


def test_files_that_must_give_the_same_share_it(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).normal(0, 5, (3, CLASSES)).astype(np.float32)
    vectors = golden_of(tmp_path, scores).golden
    paths = [file.scores for file in vectors.files]
    assert paths == [
        "golden/scores/x.int8.tflite.21841-logits.bin",
        "golden/scores/x.int8.tflite.21841-logits.bin",
        "golden/scores/x.int8.tflite.21841-probabilities.bin",
    ]
    content = (tmp_path / paths[0]).read_bytes()
    assert content == scores[[2, 0]].astype("<f4").tobytes()
    assert hashlib.sha256(content).hexdigest() == vectors.files[1].scores_sha256


def test_a_score_that_is_no_number_is_refused(tmp_path: Path) -> None:
    scores = np.zeros((3, CLASSES), np.float32)
    scores[0, 7] = np.nan
    with pytest.raises(
        DataError, match=r"litert/x\.int8\.tflite.*no finite numbers.*convert the model again"
    ):
        golden_of(tmp_path, scores)


@pytest.mark.parametrize("channels", [2, 4, 7])
def test_what_is_no_photo_goes_in_as_bytes(tmp_path: Path, channels: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (6, 4, 5, channels)).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "scores.npy", np.eye(3)[[0, 1, 2, 0, 1, 2]] * np.arange(1, 7)[:, None])
    (tmp_path / "out").mkdir()
    paths = [str(tmp_path / name) for name in ("images.npy", "scores.npy", "out")]
    task = PickGoldenImages(
        images=paths[0],
        labels=None,
        anchor=paths[1],
        head=Head.of_classes(3, "logits"),
        count=2,
        folder=paths[2],
    )
    choice = pick(task, silent)
    assert choice.files == ("00.bin", "01.bin")
    for row, name in zip(choice.rows, choice.files, strict=True):
        assert (tmp_path / "out" / name).read_bytes() == images[row].tobytes()
