"""`resnet-edge inspect` as a user runs it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.cells import cell_len

from resnet_edge.cli._inspect import print_inspection
from resnet_edge.core.metadata import LabelFile
from resnet_edge.formats.tflite import write_metadata
from resnet_edge.inspection.inspect import inspect
from resnet_edge.inspection.resize_check import GREY as GREY_NOTE
from tests.backends import tiny
from tests.cli.conversion import Place
from tests.data.photos import noise
from tests.formats.metadata.five_classes import GREY


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiny_files = tiny.write_all(tmp_path_factory.mktemp("tiny"))
    labels = LabelFile("labels.txt", ("Zebra", "Äpfel", "東京", "a b", "🚲"))
    metadata = replace(GREY, scores=replace(GREY.scores, labels=(labels,)))
    write_metadata(tiny_files / "fixed.tflite", metadata, tiny_files / "told.tflite")
    return tiny_files


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "inspect")


def test_what_is_inside_as_a_document(place: Place, files: Path) -> None:
    path = files / "uint8.tflite"
    ended = place.run(str(path), "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert document["inputs"][0]["dtype"] == "uint8"
    assert document["outputs"][0]["shape"] == [1, 5]
    assert {"op": "CONV_2D", "precision": "int8", "count": 1, "macs": 8 * 8 * 3 * 3 * 4} in document["ops"]
    assert sum(op["macs"] for op in document["ops"]) == 8 * 8 * 3 * 3 * 4 + 4 * 5
    assert document["metadata"] is None
    assert "resize" not in document
    oldest = {each["runtime"]: each for each in document["minimums"]}
    assert oldest["TensorFlow Lite"] | {"why": ""} == {
        "runtime": "TensorFlow Lite",
        "state": "known",
        "version": "1.14",
        "why": "",
    }
    assert not any("says that TensorFlow Lite" in warning for warning in document["warnings"])


def test_what_is_inside_for_people(place: Place, files: Path) -> None:
    ended = place.run(str(files / "told.tflite"))
    assert (ended.code, ended.err) == (0, "")
    for words in (
        "1×8×8×1 NHWC  float32  as stored",
        "labels.txt: 5: Zebra, Äpfel, 東京, a b, …",
        "8×8 GRAYSCALE, (pixel − 0) / 1, from 0 to 255",
        "2.32 k for one image, 100 % float32",
        "The oldest release that opens it and is right",
    ):
        assert words in ended.out
    assert ended.out.count("warning: ") == 1
    assert "1 channel: MediaPipe" in ended.out


def test_it_fits_80_columns(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspection = inspect(files / "told.tflite")
    print_inspection(inspection, width=80)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 20
    assert max(map(cell_len, lines)) <= 80
    assert any(line.startswith("CONV_2D") for line in lines)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("fixed.tflite", "it has no metadata, and MediaPipe Tasks opens no float32 file without it"),
        ("int8.tflite", "is int8: MediaPipe Tasks, ML Kit and LiteRT.js refuse it"),
        ("dynamic.tflite", "has a size that is not fixed"),
        ("dynamic.onnx", "has a size that is not fixed"),
    ],
)
def test_what_apps_may_stumble_over(place: Place, files: Path, file: str, words: str) -> None:
    ended = place.run(str(files / file))
    assert ended.code == 0, ended.err
    assert words in " ".join(ended.out.split())


def test_photos_that_platforms_resize_in_other_ways(place: Place, files: Path) -> None:
    photos = place.here / "photos"
    photos.mkdir()
    for seed in range(12):
        Image.fromarray(noise(60, 90, seed)).save(photos / f"{seed:02d}.png")
    words = (str(files / "told.tflite"), "--data", "photos")
    ended = place.run(*words, "--json")
    assert ended.code == 0, ended.err
    rows = json.loads(ended.out)["resize"]["rows"]
    assert {row["platform"] for row in rows} >= {"mediapipe", "android"}
    assert json.loads(ended.out)["resize"]["notes"] == [GREY_NOTE]  # the metadata says that it takes pixels
    ended = place.run(*words, "--quiet")
    assert (ended.code, ended.out) == (0, "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.tflite", "is not there"),
        (".", "is a folder"),
        ("empty.tflite", "is empty"),
        ("notes.txt", "inspect reads .tflite, .onnx, .ort"),
        ("net.keras", "convert it first"),
        ("random.ort", "is not an .ort file"),
        ("random.tflite", "is not a TFLite file"),
        ("random.onnx", "is not an ONNX file"),
    ],
)
def test_what_is_no_model_file_ends_in_one_line(place: Place, name: str, words: str) -> None:
    (place.here / "empty.tflite").touch()
    (place.here / "notes.txt").write_text("no model")
    (place.here / "net.keras").write_text("a model")
    for suffix in ("tflite", "onnx", "ort"):
        (place.here / f"random.{suffix}").write_bytes(bytes(range(256)) * 4)
    ended = place.run(name)
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert words in ended.errors[0]
    assert "Traceback" not in ended.err


def test_an_unknown_resize_is_wrong_usage(place: Place, files: Path) -> None:
    ended = place.run(str(files / "fixed.tflite"), "--data", "fashion-mnist", "--resize", "bilinaer")
    assert ended.code == 2
    assert "pillow" in ended.errors[0]


def test_a_resize_without_photos_is_wrong_usage(place: Place, files: Path) -> None:
    ended = place.run(str(files / "fixed.tflite"), "--resize", "pillow")
    assert (ended.code, ended.out) == (2, "")
    assert "--data" in ended.errors[0]
