"""The commands as functions, from a model and arrays in memory to what they write and give."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resnet_edge
from resnet_edge import errors
from resnet_edge.api.load_report import StoredReport
from resnet_edge.api.reports import BenchReport, ConvertReport
from resnet_edge.workers.progress import Progress

SIZE, CLASSES = 12, 4

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def model() -> Any:
    """A small network that tells its images apart: one bright quarter each."""
    import keras

    keras.utils.set_random_seed(3)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = keras.layers.AveragePooling2D(SIZE // 2)(x)
    x = keras.layers.Flatten()(x)
    net = keras.Model(image, keras.layers.Dense(CLASSES)(x), name="quarters")
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images, labels = pictures(600, seed=1)
    net.fit(images, labels, epochs=25, verbose=0)
    return net


def pictures(n: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    images = random.integers(0, 120, (n, SIZE, SIZE, 3))
    half = SIZE // 2
    for image, label in zip(images, labels, strict=True):
        row, column = half * (label // 2), half * (label % 2)
        image[row : row + half, column : column + half] += 110
    return images.astype(np.uint8), labels


@pytest.fixture(scope="module")
def converted(model: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[ConvertReport, list[Progress]]:
    heard: list[Progress] = []
    report = resnet_edge.convert(
        model,
        data=pictures(800, seed=2),
        out=tmp_path_factory.mktemp("api") / "dist",
        formats="tflite,onnx",
        schemes=["fp32", "int8"],
        latency_seconds=0.5,
        max_drop=2,
        on_progress=heard.append,
    )
    return report, heard


def test_a_model_in_memory_is_converted(
    converted: tuple[ConvertReport, list[Progress]], capfd: pytest.CaptureFixture[str]
) -> None:
    report, heard = converted
    assert report.passed
    assert report.model.source == "quarters (a Functional in memory)"
    assert [Path(each.path).is_file() for each in report.artifacts] == [True] * 4
    assert {each.step for each in heard} >= {"model", "calibrate", "latency"}
    assert json.loads((report.folder / "report.json").read_text()) == json.loads(json.dumps(report.to_dict()))
    assert capfd.readouterr() == ("", "")


def test_the_best_is_the_smallest_or_the_fastest(converted: tuple[ConvertReport, list[Progress]]) -> None:
    report, _ = converted
    smallest = min(report.artifacts, key=lambda each: each.size_bytes)
    assert report.best("size") == smallest
    p50 = {row.artifact: row.p50_ms for row in report.latency if row.backend == "onnxruntime"}
    assert report.best(backend="onnxruntime").file == min(p50, key=lambda file: p50[file])
    assert report.best(format="onnx", scheme="int8").file == "quarters.int8.onnx"
    with pytest.raises(errors.ArtifactError, match="no best artifact"):
        report.best(scheme="fp16")


def test_what_was_written_is_read_again(converted: tuple[ConvertReport, list[Progress]]) -> None:
    report, _ = converted
    stored = resnet_edge.load_report(report.folder)
    assert isinstance(stored, StoredReport)
    assert (stored.artifacts, stored.passed, stored.best("size")) == (
        report.artifacts,
        True,
        report.best("size"),
    )
    assert stored.parity == report.parity
    assert stored.to_dict()["schema"] == 1
    with pytest.raises(errors.DataError, match="is no report"):
        resnet_edge.load_report(report.folder / "labels.txt")


def test_a_notebook_shows_it(converted: tuple[ConvertReport, list[Progress]]) -> None:
    report, _ = converted
    html = report._repr_html_()
    assert html.startswith("<table><caption>quarters: proved</caption>")
    assert html.count("<tr>") == 1 + len(report.parity)


def test_verify_and_bench_take_the_report_and_run_in_a_thread(
    model: Any, converted: tuple[ConvertReport, list[Progress]]
) -> None:
    report, _ = converted
    reports: list[Any] = []

    def work() -> None:
        reports.append(resnet_edge.verify(report, reference=model, data=pictures(800, seed=4), max_drop=2))
        reports.append(resnet_edge.bench([report.best().path], backends="litert", budget=0.5))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    verified, timed = reports
    assert verified.passed
    assert len(verified.parity) == 4
    assert "Verified against" in verified._repr_html_()
    assert isinstance(timed, BenchReport)
    assert [row.backend for row in timed.rows] == ["litert"]
    assert timed.to_dict()["kind"] == "bench"


def test_a_file_is_inspected(converted: tuple[ConvertReport, list[Progress]]) -> None:
    report, _ = converted
    inspection = resnet_edge.inspect(report.best(format="tflite").path)
    assert inspection.format == "tflite"
    assert "resize" not in inspection.to_dict()
    assert "<table>" in inspection._repr_html_()


def test_a_bundle_is_made_of_the_report(
    converted: tuple[ConvertReport, list[Progress]], tmp_path: Path
) -> None:
    report, _ = converted
    bundle = resnet_edge.package(
        report, out=tmp_path / "bundle", profiles="litert", data=pictures(100, seed=5), images=50, golden=3
    )
    assert bundle.passed
    assert (bundle.folder / "bundle.json").is_file()
    assert bundle.to_dict()["model"] == "quarters"


def test_a_network_is_trained_on_arrays(tmp_path: Path) -> None:
    trained = resnet_edge.train(
        arch="resnet8", data=pictures(64, seed=6), out=tmp_path / "net.keras", epochs=1, augment="none"
    )
    assert Path(trained.file).is_file()
    with pytest.raises(errors.OutputError, match="exists"):
        resnet_edge.train(arch="resnet8", data=pictures(64, seed=6), out=tmp_path / "net.keras", epochs=1)


@pytest.mark.slow
def test_keras_trains_on_jax_where_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    resnet_edge.train(
        arch="resnet8", data=pictures(64, seed=6), out=tmp_path / "net.keras", epochs=1, augment="none"
    )
    details = json.loads((tmp_path / "net.json").read_text("utf-8"))["steps"][-1]["details"]
    assert details["backend"] == "jax"
    assert details["device"] in ("cpu", "gpu")
