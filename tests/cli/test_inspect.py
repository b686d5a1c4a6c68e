"""`resnet-edge inspect` as a user runs it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from resnet_edge.core.metadata import LabelFile
from resnet_edge.formats.tflite import write_metadata
from tests.backends import tiny
from tests.cli.conversion import Place
from tests.data.photos import noise
from tests.formats.test_metadata import GREY


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tiny.write_all(tmp_path_factory.mktemp("tiny"))
    labels = LabelFile("labels.txt", ("Zebra", "Äpfel", "東京", "a b", "🚲"))
    metadata = replace(GREY, scores=replace(GREY.scores, labels=(labels,)))
    write_metadata(made / "fixed.tflite", metadata, made / "told.tflite")
    return made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "inspect")


def test_what_is_inside_as_a_document(place: Place, files: Path) -> None:
    path = files / "uint8.tflite"
    ended = place.run(str(path), "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found["inputs"][0]["dtype"] == "uint8"
    assert found["outputs"][0]["shape"] == [1, 5]
    assert found["census"]["CONV_2D"] == 1
    assert (found["float_macs"], found["int8_macs"]) == (0, 8 * 8 * 3 * 3 * 4 + 4 * 5)
    assert found["metadata"] is None
    assert "resize" not in found


def test_what_is_inside_for_people(place: Place, files: Path) -> None:
    ended = place.run(str(files / "told.tflite"))
    assert (ended.code, ended.err) == (0, "")
    for words in (
        ": float32 1 x 8 x 8 x 1",
        "labels.txt: 5: Zebra, Äpfel, 東京, …",
        "8 x 8, GRAYSCALE",
    ):
        assert words in ended.out
    assert "warning" not in ended.out


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("fixed.tflite", "it has no metadata: MediaPipe Tasks does not open it"),
        ("int8.tflite", "refuse an int8 input"),
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
    ended = place.run(*words, "--quiet")
    assert (ended.code, ended.out) == (0, "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.tflite", "is not there"),
        (".", "is a folder"),
        ("empty.tflite", "is empty"),
        ("notes.txt", "no .tflite or .onnx file"),
        ("random.tflite", "is not a TFLite file"),
        ("random.onnx", "is not an ONNX file"),
    ],
)
def test_what_is_no_model_file_ends_in_one_line(place: Place, name: str, words: str) -> None:
    (place.here / "empty.tflite").touch()
    (place.here / "notes.txt").write_text("no model")
    for suffix in ("tflite", "onnx"):
        (place.here / f"random.{suffix}").write_bytes(bytes(range(256)) * 4)
    ended = place.run(name)
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert words in ended.errors[0]
    assert "Traceback" not in ended.err


def test_an_unknown_resize_is_wrong_usage(place: Place, files: Path) -> None:
    ended = place.run(str(files / "fixed.tflite"), "--data", "fashion-mnist", "--resize", "bilinaer")
    assert ended.code == 2
    assert "pillow" in ended.errors[0]
