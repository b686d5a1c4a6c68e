"""Tests of verification.reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.files.bundled import BUNDLED, CALIBRATION_FILE, bundled
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.stored_report import ReportedImages
from resnet_edge.verification.reported import converted_by, hashes_reported


def test_the_hashes_of_every_folder_are_found_and_files_promise_nothing(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        entries = [{"file": f"{name}.onnx", "sha256": name * 3}]
        (tmp_path / name / "report.json").write_text(json.dumps({"artifacts": entries}))
    (tmp_path / "empty").mkdir()
    paths = tmp_path / "one", tmp_path / "two", tmp_path / "empty", tmp_path / "one" / "one.onnx"
    assert hashes_reported(paths) == {
        tmp_path / "one" / "one.onnx": "oneoneone",
        tmp_path / "two" / "two.onnx": "twotwotwo",
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"artifacts": 3}', '{"artifacts": [{"file": "a"}]}', "null"]
)
def test_a_report_of_others_promises_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    assert hashes_reported((tmp_path,)) == {}


def converted(folder: Path, **parts: Any) -> Path:
    """A folder with a report and one file, beside the model and the images."""
    (folder / "net.keras").write_bytes(b"model")
    (folder / "photos").mkdir()
    dist = folder / "dist"
    dist.mkdir()
    (dist / "net.int8.onnx").write_bytes(b"artifact")
    report = {
        "artifacts": [{"file": "net.int8.onnx", "sha256": sha256_of(dist / "net.int8.onnx")}],
        "model": {"source": "net.keras", "sha256": sha256_of(folder / "net.keras")},
        "inputs": {"model": "../net.keras", "data": "../photos", "calibration": "fashion-mnist"},
        "data": {"source": "photos", "n": 9, "sha256": "ab"},
        "max_drop_pp": 2.0,
        "preprocessing": {"name": "unit", "where": "graph", "scale": [1 / 255], "formula": "x"},
    }
    (dist / "report.json").write_text(json.dumps({**report, **parts}))
    return dist


def test_a_folder_tells_how_it_was_made_from_anywhere(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = converted(tmp_path)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    for paths in ((dist,), (dist / "net.int8.onnx",)):
        origin = converted_by(paths)
        assert origin is not None
        assert origin.reference is not None
        assert Path(origin.reference).resolve() == tmp_path / "net.keras"
        assert origin.data is not None
        assert Path(origin.data).resolve() == tmp_path / "photos"
        assert (origin.calibration, origin.max_drop_pp) == ("fashion-mnist", 2.0)
        assert origin.preprocessing == PRESETS["unit"]
        assert origin.images == ReportedImages(9, "ab", "photos")
        assert (origin.output, origin.head, origin.input_shape) == (None, None, None)


def test_what_was_said_of_the_model_is_remembered(tmp_path: Path) -> None:
    said = {"model": "../net.keras", "output": "scores", "input_shape": "20,24,3"}
    model = {"source": "net.keras", "sha256": "", "declared": "multilabel"}
    origin = converted_by((converted(tmp_path, inputs=said, model=model),))
    assert origin is not None
    assert (origin.output, origin.head, origin.input_shape) == ("scores", "multilabel", (20, 24, 3))


@pytest.mark.parametrize("shape", ["20,24", "20,24,0", "20,24,3,", "1e3,2,3", "-1,2,3", "9999999,1,1"])
def test_a_shape_that_is_none_is_not_taken(tmp_path: Path, shape: str) -> None:
    origin = converted_by((converted(tmp_path, inputs={"input_shape": shape}),))
    assert origin is not None
    assert origin.input_shape is None


def test_what_is_gone_or_has_changed_is_not_taken(tmp_path: Path) -> None:
    dist = converted(tmp_path, preprocessing={"name": "model", "where": "model"}, max_drop_pp=None)
    (tmp_path / "net.keras").write_bytes(b"another model")
    (tmp_path / "photos").rmdir()
    origin = converted_by((dist,))
    assert origin is not None
    assert (origin.reference, origin.data, origin.max_drop_pp, origin.preprocessing) == (None,) * 4
    assert origin.model_source == "net.keras"


def test_a_report_speaks_of_its_own_files_alone(tmp_path: Path) -> None:
    dist = converted(tmp_path)
    (dist / "net.int8.onnx").write_bytes(b"another")
    assert converted_by((dist / "net.int8.onnx",)) is None
    assert converted_by((dist, tmp_path)) is None
    assert converted_by((tmp_path,)) is None
    assert converted_by(()) is None


def test_names_of_the_bundled_files_are_found_in_the_package(tmp_path: Path) -> None:
    inputs = {"data": "fashion-mnist:..", "calibration": f"{CALIBRATION_FILE}{BUNDLED}"}
    origin = converted_by((converted(tmp_path, inputs=inputs),))
    assert origin is not None
    assert origin.data == f"fashion-mnist:{tmp_path / 'dist' / '..'}"
    assert origin.calibration == str(bundled(CALIBRATION_FILE))
