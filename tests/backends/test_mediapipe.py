"""MediaPipe in Python and in the browser: the same rules, the same numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.backends import _mediapipe_files, litert
from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, DataError, DeviceUnavailable, MissingDependency
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends import rgb
from tests.backends.pages import loaded, started

python = loaded("mediapipe")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rgb.write_all(tmp_path_factory.mktemp("rgb"))


@pytest.fixture(params=["mediapipe", pytest.param("mediapipe_web", marks=pytest.mark.chromium)])
def backend(request: pytest.FixtureRequest) -> Any:
    if request.param == "mediapipe":
        return python
    try:
        return registry.load("backends", request.param)
    except MissingDependency as error:
        pytest.skip(str(error))


def scores_of_litert(path: Path, images: NDArray[Any]) -> NDArray[np.float32]:
    with litert.open_session(path, "cpu", 1) as session:
        rows = [session.run(image[None]) for image in images]
        return dequantize(np.concatenate(rows), session.output)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_scores_are_litert_s_and_labels_the_file_s(backend: Any, files: Path, dtype: str) -> None:
    path, images = files / f"{dtype}.tflite", rgb.pixels(50)
    truth = scores_of_litert(path, images.astype(dtype))
    assert len(np.unique(truth)) > 50
    assert len(np.unique(truth.argmax(1))) > 1
    with backend.open_session(path, "cpu", 1) as session:
        assert session.labels == rgb.LABELS
        assert (session.input.name, session.input.shape) == ("image", (1, *rgb.SHAPE))
        assert session.input.dtype == dtype
        assert (session.output.shape, session.output.dtype) == ((1, 5), "float32")
        outputs = session.each(images.astype(dtype))
        np.testing.assert_array_equal(session.run(images[7:8].astype(dtype)), outputs[7:8])
    if dtype == "float32" and backend is not python:  # 1.8e-7 between WebAssembly and x86
        np.testing.assert_allclose(outputs, truth, rtol=0, atol=1e-6)
    else:
        np.testing.assert_array_equal(outputs, truth)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("bare", "no metadata"),
        ("scaled", "mean 0 and std 1"),
        ("int8", "convert with --io"),
        ("dynamic", "without --dynamic-batch"),
        ("short", r"\(5 vs. 4\).*a label for each score"),
        ("gray", "1 channel"),
        ("random", "cannot be opened"),
        ("missing", "not a file"),
    ],
)
def test_what_it_does_not_open_is_refused_in_one_line(
    backend: Any, files: Path, artifacts: Path, file: str, words: str
) -> None:
    path = {"gray": artifacts / "fixed.tflite", "random": artifacts / "random.tflite"}.get(
        file, files / f"{file}.tflite"
    )
    with pytest.raises(ArtifactError, match=words) as caught, backend.open_session(path, "cpu", 1):
        pass
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def test_images_that_are_no_pixels_are_refused(backend: Any, files: Path) -> None:
    image = rgb.pixels(1).astype(np.float32)
    with backend.open_session(files / "float32.tflite", "cpu", 1) as session:
        before = session.run(image)
        for value in (0.5, -1, 256, np.nan):
            with pytest.raises(DataError, match="whole pixels"):
                session.run(np.full_like(image, value))
        for wrong in (image[0], image[:, 1:], image.astype(np.uint8), np.concatenate([image, image])):
            with pytest.raises(ArtifactError, match="'image' takes"):
                session.run(wrong)
        np.testing.assert_array_equal(session.run(image), before)  # the session is still whole


def test_other_devices_are_refused(backend: Any, files: Path) -> None:
    with (
        pytest.raises(DeviceUnavailable, match="choose from: cpu"),
        backend.open_session(files / "uint8.tflite", "gpu", 1),
    ):
        pass


def test_normalization_is_what_the_metadata_says(files: Path) -> None:
    assert _mediapipe_files.normalization(files / "scaled.tflite") == ((127.5,), (127.5,))
    assert _mediapipe_files.normalization(files / "float32.tflite") == ((0.0,), (1.0,))
    assert _mediapipe_files.normalization(files / "bare.tflite") is None


def test_labels_come_with_predictions_and_nothing_stays_behind(files: Path, tmp_path: Path) -> None:
    images, out = tmp_path / "images.npy", tmp_path / "out.npy"
    np.save(images, rgb.pixels(3))
    path = str(files / "uint8.tflite")
    request = Predict(
        path=path,
        format="tflite",
        backend="mediapipe",
        device="cpu",
        threads=1,
        images=str(images),
        out=str(out),
    )
    with WorkerProcess("proof", tmp_path / "log", grant=Grant(writes=(str(tmp_path),))) as worker:
        prediction = worker.run(request)
    assert prediction.labels == rgb.LABELS
    with python.open_session(files / "uint8.tflite", "cpu", 1) as session:
        inputs = quantize(rgb.pixels(3), session.input)
    np.testing.assert_array_equal(np.load(out), scores_of_litert(Path(path), inputs))
    assert not started(path)


def test_process_that_dies_or_hangs_is_one_line(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = rgb.pixels(1)
    with python.open_session(files / "uint8.tflite", "cpu", 1) as session:
        [process] = started("mediapipe_tasks.py")
        os.kill(process, signal.SIGSEGV)
        with pytest.raises(ArtifactError, match="MediaPipe was ended by SIGSEGV") as caught:
            session.run(image)
        with pytest.raises(ArtifactError, match="was ended before"):
            session.run(image)
    assert "\n" not in str(caught.value)
    with python.open_session(files / "uint8.tflite", "cpu", 1) as session:
        os.kill(started("mediapipe_tasks.py")[0], signal.SIGSTOP)
        monkeypatch.setattr(python, "CALL_SECONDS", -0.5)
        with pytest.raises(ArtifactError, match="MediaPipe gave no answer"):
            session.run(image)
    assert not started("mediapipe_tasks.py")


def test_without_its_environment_the_command_that_makes_it_is_told(tmp_path: Path) -> None:
    code = "from resnet_edge.core import registry; registry.load('backends', 'mediapipe')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "RESNET_EDGE_MEDIAPIPE": str(tmp_path / "none")},
        capture_output=True,
        text=True,
    )
    [line] = [line for line in done.stderr.splitlines() if "MissingDependency" in line][-1:]
    assert f"-m venv {tmp_path / 'none'}" in line
    [requirements] = [Path(word) for word in line.split() if word.endswith(".txt")]
    assert f"mediapipe=={python.version()}" in requirements.read_text("utf-8")
