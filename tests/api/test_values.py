"""Tests of api.values: what is in memory as files, and names."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.api.values import or_else, paths_of, value_files
from resnet_edge.core.errors import DataError, ModelError, OutputError, UsageError
from resnet_edge.workers.progress import Progress

IMAGES = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)


def test_a_value_of_nothing_counts_as_given() -> None:
    assert (or_else(0, 5), or_else("", "x"), or_else(None, 5)) == (0, "", 5)


def test_arrays_are_in_a_file_as_long_as_the_call() -> None:
    with value_files() as files:
        path = Path(files.data((IMAGES, [0, 1])) or "")
        again = Path(files.data(IMAGES, "calibration") or "")
        with np.load(path) as arrays:
            np.testing.assert_array_equal(arrays["images"], IMAGES)
            assert arrays["labels"].tolist() == [0, 1]
        with np.load(again) as arrays:
            assert arrays.files == ["images"]
    assert not path.exists()
    assert not again.exists()


def test_words_and_paths_stay_what_they_are(tmp_path: Path) -> None:
    with value_files() as files:
        assert files.data("fashion-mnist") == "fashion-mnist"
        assert files.data(tmp_path) == str(tmp_path)
        assert files.data(None) is None
        assert files.model(tmp_path / "net.keras") == str(tmp_path / "net.keras")
        assert files.name_of("resnet20") is None


@pytest.mark.parametrize(
    "data", [IMAGES[0], [[1, 2], [3]], (IMAGES, [[0], [0, 1]]), (IMAGES[0], [0, 1]), [object()]]
)
def test_what_is_no_image_is_refused(data: Any) -> None:
    with (
        value_files() as files,
        pytest.raises(DataError, match=r"calibration is a \w+( of shape .*)?, which is no DATA"),
    ):
        files.data(data, "calibration")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (IMAGES.astype(np.int64), "images are int64; they must be uint8 or float32"),
        ((IMAGES, np.zeros(len(IMAGES))), r"labels are float64 \(\d+,\); they must be integers: \d+, one"),
        (
            (IMAGES, np.zeros((len(IMAGES), 3))),
            r"labels are float64 \(\d+, 3\); .* one-hot rows labels.argmax\(1\)",
        ),
        ((IMAGES, [None] * len(IMAGES)), "labels are object"),
        (
            (IMAGES, [0] * (len(IMAGES) + 1)),
            r"labels are int64 \(3,\); they must be integers: 2, one per image",
        ),
    ],
)
def test_what_a_reader_would_refuse_is_no_matter_of_a_file(data: Any, message: str) -> None:
    with value_files() as files, pytest.raises(DataError, match=f"^data: {message}") as refused:
        files.data(data)
    assert ".npz" not in str(refused.value)


class Saved:
    """A model as `value_files` knows one: it has a name, and saves itself."""

    name = "../../my net"

    def save(self, path: str) -> None:
        with zipfile.ZipFile(path, "w") as saved:
            saved.writestr("metadata.json", json.dumps({"keras_version": "3", "date_saved": time.time_ns()}))
            saved.writestr("model.weights.h5", "weights")


class Unsaved(Saved):
    def save(self, path: str) -> None:
        raise NotImplementedError("no get_config\nin Odd")


def test_models_of_one_name_are_two_files_and_their_name_is_no_path() -> None:
    with value_files() as files:
        first, second = Path(files.model(Saved())), Path(files.model(Saved()))
        assert first != second
        assert first.name == second.name
        assert first.suffix == ".keras"
        assert first.parent.parent == second.parent.parent
        assert first.read_bytes() == second.read_bytes(), "the same model, though it was saved later"
        with zipfile.ZipFile(first) as saved:
            assert saved.read("model.weights.h5") == b"weights"
        assert files.name_of(Saved()) == "../../my net (a Saved in memory)"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, "a int is no model: give a keras.Model"),
        (Unsaved(), r"cannot be saved \(NotImplementedError: no get_config\): give its layers a get_config"),
    ],
)
def test_a_model_that_cannot_be_saved_is_one_line(model: Any, message: str) -> None:
    with value_files() as files, pytest.raises(ModelError, match=message):
        files.model(model)


def test_nobody_hears_of_the_files_that_values_are_in() -> None:
    heard: list[Progress] = []
    with value_files() as files:
        model, data = files.model(Saved()), files.data(IMAGES) or ""
        files.progress(heard.append)(Progress(step="model", note=f"reading {model}"))
        assert files.named((Facts(source=model, more={"data": [data, 3]}), None)) == (
            Facts(source="../../my net (a Saved in memory)", more={"data": ["data (in memory)", 3]}),
            None,
        )
    assert heard == [Progress(step="model", note="reading ../../my net (a Saved in memory)")]
    with pytest.raises(DataError, match=r"^data \(in memory\) has NaN$"), value_files() as files:
        raise DataError(f"{files.data(IMAGES)} has NaN")


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="name another folder with TMPDIR"), value_files():
        pass


@dataclass(frozen=True)
class Facts:
    source: str
    more: dict[str, Any]


@dataclass
class Report:
    folder: Path


def test_a_report_stands_for_its_folder() -> None:
    assert paths_of([Report(Path("dist")), "net.onnx"]) == (Path("dist"), Path("net.onnx"))
    assert paths_of("net.onnx") == (Path("net.onnx"),)
    assert paths_of([]) == ()
    assert paths_of(Path(each) for each in ("a.onnx", "b.onnx")) == (Path("a.onnx"), Path("b.onnx"))
    assert paths_of({"net.onnx"}) == (Path("net.onnx"),)
    with pytest.raises(UsageError, match="a int is no file: give a path, or a report of convert"):
        paths_of(["net.onnx", 3])  # type: ignore[list-item]  # what is no file is tested


def test_images_and_labels_may_come_as_a_list() -> None:
    with value_files() as files:
        with np.load(files.data([IMAGES, list(range(len(IMAGES)))]) or "") as kept:
            assert kept["labels"].tolist() == list(range(len(IMAGES)))
        with np.load(files.data(list(IMAGES)) or "") as kept:
            assert kept.files == ["images"]
