"""LiteRT on the GPU of this machine, or on the program that imitates one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import _vulkan, litert
from resnet_edge.core.device import as_software
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends import quantized, tiny, vulkan


@pytest.fixture(autouse=True)
def device() -> str:
    """What a session has to call its device here."""
    imitated = all(adapter.is_software for adapter in vulkan.needed())
    return as_software("gpu") if imitated else "gpu"


def test_an_imitation_says_that_it_is_one(artifacts: Path, device: str) -> None:
    with litert.open_session(artifacts / "fixed.tflite", "gpu", 1) as session:
        assert session.device == device


def test_a_dynamic_batch_takes_any(artifacts: Path) -> None:
    images = tiny.pixels(7).astype(np.float32)
    with litert.open_session(artifacts / "dynamic.tflite", "gpu", 1) as session:
        assert session.input.shape == (None, *tiny.SHAPE)
        for size in (1, 7, 3, 1):
            got = session.run(images[:size])
            assert np.abs(got - tiny.logits(images[:size])).max() < 1e-5 * np.abs(got).max()


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_integer_ends_keep_their_scale_and_dtype(artifacts: Path, dtype: str) -> None:
    pixels = tiny.pixels(3)
    stored = (pixels.astype(np.int16) - (128 if dtype == "int8" else 0)).astype(dtype)
    outputs = []
    for where in ("cpu", "gpu"):
        with litert.open_session(artifacts / f"{dtype}.tflite", where, 1) as session:
            assert session.input.quantization is not None
            outputs.append(np.concatenate([session.run(image[None]) for image in stored]))
    assert outputs[1].dtype == dtype
    assert np.abs(outputs[0].astype(int) - outputs[1]).max() <= 1  # no 1x1 convolution with a stride in it


def test_outputs_outlive_the_session_and_the_next_run(artifacts: Path) -> None:
    one, other = tiny.pixels(2).astype(np.float32)[:, None]
    with litert.open_session(artifacts / "fixed.tflite", "gpu", 1) as session:
        first = session.run(one)
        kept = first.copy()
        assert not np.array_equal(session.run(other), kept)
    np.testing.assert_array_equal(first, kept)


def test_images_that_do_not_fit_are_refused(artifacts: Path) -> None:
    with litert.open_session(artifacts / "fixed.tflite", "gpu", 1) as session:
        for images in (np.zeros((2, *tiny.SHAPE), np.float32), np.zeros((1, *tiny.SHAPE), np.uint8)):
            with pytest.raises(ArtifactError, match="'image' takes"):
                session.run(images)


def test_what_the_gpu_cannot_run_is_named_and_nothing_falls_back(tmp_path: Path) -> None:
    quantized.write_int16(tmp_path / "int16.tflite")
    with litert.open_session(tmp_path / "int16.tflite", "cpu", 1) as session:
        assert session.device == "cpu"
    with (
        pytest.raises(ArtifactError, match=r"int16\.tflite does not run on the GPU .*INT16.*fp16") as caught,
        litert.open_session(tmp_path / "int16.tflite", "gpu", 1),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_gpu_that_litert_does_not_take_is_named(artifacts: Path, tmp_path: Path) -> None:
    """In a process of its own, because LiteRT keeps the GPU that it found first."""
    driver = _vulkan._in_a_browser("libVkICD_mock_icd.so")  # Khronos' driver that computes nothing
    if driver is None:
        pytest.skip("no browser brings Vulkan's mock driver: apt-get install chromium")
    manifest, images = tmp_path / "mock.json", tmp_path / "images.npy"
    mock = {"library_path": str(driver), "api_version": "1.0.5"}
    manifest.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": mock}))
    np.save(images, tiny.pixels(1))
    request = Predict(
        path=str(artifacts / "fixed.tflite"),
        format="tflite",
        backend="litert",
        device="gpu",
        threads=1,
        images=str(images),
        out=str(tmp_path / "out.npy"),
    )
    environment = {"VK_ICD_FILENAMES": str(manifest)}
    with (
        WorkerProcess("proof", tmp_path / "proof.log", environment, Grant(writes=(str(tmp_path),))) as worker,
        pytest.raises(DeviceUnavailable, match=r"not take this GPU \(Vulkan Mock Device\).*VK_ICD") as caught,
    ):
        worker.run(request)
    assert "\n" not in str(caught.value)


def test_what_native_code_says_on_the_way_is_still_shown(
    artifacts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with litert.open_session(artifacts / "fixed.tflite", "gpu", 1):
        pass
    assert "Selected adapter" in capfd.readouterr().err  # and the device is read from that line
