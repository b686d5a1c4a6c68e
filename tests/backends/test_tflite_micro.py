from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.backends import litert, litert_reference
from resnet_edge.core.errors import ArtifactError, WorkerFailed
from resnet_edge.core.tensors import quantize
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends import quantized, tiny
from tests.backends.pages import loaded

backend = loaded("tflite_micro")


def outputs(module: ModuleType, path: Path, images: NDArray[Any]) -> NDArray[Any]:
    with module.open_session(path, "cpu", 1) as session:
        return np.concatenate([session.run(quantize(image[None], session.input)) for image in images])


@pytest.mark.parametrize("file", ["int8", "uint8", "fixed"])
def test_its_numbers_are_those_of_the_reference_kernels(artifacts: Path, file: str) -> None:
    path, images = artifacts / f"{file}.tflite", tiny.pixels(50)
    ours = outputs(backend, path, images)
    assert len(np.unique(ours)) > 20
    np.testing.assert_array_equal(ours, outputs(litert_reference, path, images))


def test_int8_is_not_what_xnnpack_gives(artifacts: Path) -> None:
    """Else the test above would prove nothing."""
    path, images = artifacts / "int8.tflite", tiny.pixels(50)
    assert not np.array_equal(outputs(backend, path, images), outputs(litert, path, images))


def test_its_arena_grows_until_the_model_fits(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, images = artifacts / "int8.tflite", tiny.pixels(3)
    before = outputs(backend, path, images)
    monkeypatch.setattr(backend, "FIRST_ARENA", 1024)
    np.testing.assert_array_equal(outputs(backend, path, images), before)
    monkeypatch.setattr(backend, "LARGEST_ARENA", 1024)
    with pytest.raises(ArtifactError, match="missing: .*smaller network"):
        outputs(backend, path, images)


def test_smallest_arena_is_large_enough_and_a_kilobyte_less_is_not(artifacts: Path) -> None:
    arena = backend.arena(artifacts / "int8.tflite")
    assert arena.head_bytes + arena.tail_bytes == arena.bytes_used
    assert arena.head_bytes >= 8 * 8 * (1 + 4)  # what goes into the convolution and what comes out of it
    assert arena.smallest_bytes % 1024 == 0
    assert arena.bytes_used <= arena.smallest_bytes < arena.bytes_used + 4096
    model = (artifacts / "int8.tflite").read_bytes()
    backend.runtime.Interpreter.from_bytes(model, arena_size=arena.smallest_bytes).invoke()
    with pytest.raises(RuntimeError):
        backend.runtime.Interpreter.from_bytes(model, arena_size=arena.smallest_bytes - 1024)


def test_int16_is_near_the_reference_and_not_equal(tmp_path: Path) -> None:
    quantized.write_int16(tmp_path / "int16.tflite")
    images = tiny.pixels(20).astype(np.float32) / 255
    ours, theirs = (outputs(one, tmp_path / "int16.tflite", images) for one in (backend, litert_reference))
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max()


@pytest.mark.parametrize("opened", ["session", "arena"])
def test_weights_that_it_does_not_take_are_told_with_its_reason(tmp_path: Path, opened: str) -> None:
    path = tmp_path / "hybrid.tflite"
    quantized.write_dynamic_range(path)
    call = backend.arena if opened == "arena" else lambda path: outputs(backend, path, tiny.pixels(1))
    with pytest.raises(ArtifactError, match="Hybrid models are not supported.*another scheme") as caught:
        call(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_has_no_arena(artifacts: Path) -> None:
    for name in ("random", "empty", "truncated", "missing"):
        with pytest.raises(ArtifactError, match=name):
            backend.arena(artifacts / f"{name}.tflite")


def test_an_abort_of_the_kernels_is_one_line(tmp_path: Path) -> None:
    path, images = tmp_path / "flat.tflite", tmp_path / "images.npy"
    quantized.write_flat(path)
    np.save(images, np.ones((1, *tiny.SHAPE), np.float32))
    out = str(tmp_path / "out.npy")
    request = Predict(
        path=str(path),
        format="tflite",
        backend="tflite_micro",
        device="cpu",
        threads=1,
        images=str(images),
        out=out,
    )
    with (
        WorkerProcess("proof", tmp_path / "proof.log", grant=Grant(writes=(str(tmp_path),))) as worker,
        pytest.raises(WorkerFailed, match=r"^proof was ended by SIGABRT .*flat\.tflite") as caught,
    ):
        worker.run(request)
    assert "\n" not in str(caught.value)
