"""`convert` with a GPU among the backends: float files pass on it; that integer ones are wrong is found."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends import vulkan
from tests.cli.conversion import CLASSES, NAMES, SIZE, Place, tinted_images

pytestmark = pytest.mark.slow


def shaded_images(n: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Tinted images but for the quarter at the top left, which is all that a convolution with a stride of
    two sees if it forgets the stride."""
    images, labels = tinted_images(n, seed)
    images[:, : SIZE // 2, : SIZE // 2] = 100
    return images, labels


def write_strided(path: Path) -> None:
    """A residual net whose shortcut is a 1x1 convolution with a stride, as those of ResNets are."""
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = keras.layers.Conv2D(32, 3, strides=2, padding="same")(x)
    x = keras.layers.ReLU()(keras.layers.Add()([keras.layers.Conv2D(32, 1, strides=2)(x), y]))
    features = keras.layers.GlobalAveragePooling2D()(x)
    head = keras.layers.Dense(CLASSES)
    model = keras.Model(image, head(features))
    images, labels = shaded_images(2000, seed=1)
    values = keras.Model(image, features).predict(images.astype(np.float32), verbose=0)
    rows = np.hstack([values, np.ones((len(values), 1))])
    fitted = np.linalg.lstsq(rows, 10 * np.eye(CLASSES)[labels], rcond=None)[0]
    head.set_weights([fitted[:-1].astype(np.float32), fitted[-1].astype(np.float32)])
    model.save(path)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    vulkan.needed()
    folder = tmp_path_factory.mktemp("gpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Keras 3.15 converts variables in an old way
        write_strided(folder / "strided.keras")
    images, labels = shaded_images(1000, seed=2)
    np.savez(folder / "test.npz", images=images, labels=labels, class_names=np.array(NAMES))
    np.savez(folder / "calibration.npz", images=shaded_images(100, seed=3)[0])
    place = Place(folder)
    ended = place.run(
        *(str(folder / "strided.keras"), "--data", str(folder / "test.npz")),
        *("--calibration", str(folder / "calibration.npz"), "--formats", "tflite"),
        *("--schemes", "fp32,int8", "--backends", "litert:gpu,litert", "--max-drop", "2"),
        *("--latency-seconds", "0.2", "--json"),
    )
    assert place.is_clean()
    document: dict[str, Any] = {"code": ended.code, "errors": ended.errors, **json.loads(ended.out)}
    return document


def rows(report: dict[str, Any], part: str, scheme: str) -> dict[str, dict[str, Any]]:
    return {row["device"]: row for row in report[part] if row["artifact"] == f"strided.{scheme}.tflite"}


def gpu(report: dict[str, Any]) -> str:
    return next(str(row["device"]) for row in report["parity"] if row["device"] != "cpu")


def test_the_device_is_what_the_runtime_says(report: dict[str, Any]) -> None:
    imitated = all(adapter.is_software for adapter in vulkan.needed())
    assert gpu(report) == ("gpu-software" if imitated else "gpu")


def test_float_passes_on_the_gpu_as_exactly_as_on_the_cpu(report: dict[str, Any]) -> None:
    on_device = rows(report, "parity", "fp32")
    assert [row["verdict"] for row in on_device.values()] == ["pass", "pass"]
    assert on_device[gpu(report)]["sqnr_db"] > 100


def test_int8_fails_on_the_gpu_alone_and_so_does_the_run(report: dict[str, Any]) -> None:
    on_device = rows(report, "parity", "int8")
    assert on_device["cpu"]["verdict"] == "pass"
    assert on_device[gpu(report)]["verdict"] == "fail"
    assert report["code"] == 4
    assert any("ship fp16 or fp32" in note for note in report["notes"])


def test_nothing_is_left_in_float_for_what_is_no_fault_of_int8(report: dict[str, Any]) -> None:
    assert report.get("plan") is None


def test_an_imitation_is_not_timed_and_that_is_a_note_and_no_failure(report: dict[str, Any]) -> None:
    assert report["failures"] == []
    if gpu(report) != "gpu-software":
        pytest.skip("this machine has a GPU")
    assert {row["device"] for row in report["latency"]} == {"cpu"}
    (note,) = (note for note in report["notes"] if note.startswith("no latency: "))
    assert "imitated by a program" in note
