"""`convert --nchw`: ONNX files that take their channels first are proved, timed, saved, compared and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place


def ran(place: Place, command: str, *words: str) -> Ended:
    place.command = command
    return place.run(*words)


@pytest.fixture(scope="module")
def turned(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("nchw"))
    data = ("--data", str(given.data), "--calibration", str(given.calibration))
    fast = ("--calibrator", "minmax", "--no-plan", "--max-drop", "10", "--latency-seconds", "1")
    ended = place.run(str(given.model), *data, *fast, "--nchw", "--schemes", "fp32,int8", "--out", "dist")
    assert ended.code == 0, ended.err
    return place


def test_onnx_files_take_channels_first_and_tflite_files_do_not(turned: Place) -> None:
    report = json.loads((turned.here / "dist/report.json").read_text())
    inputs = {each["file"]: each["inputs"][0] for each in report["artifacts"]}
    shapes = {file: tuple(spec["shape"]) for file, spec in inputs.items()}
    height, width, channels = shapes["tiny.fp32.tflite"][1:]
    for scheme in ("fp32", "int8"):
        assert shapes[f"tiny.{scheme}.tflite"] == (1, height, width, channels)
        assert shapes[f"tiny.{scheme}.onnx"] == (1, channels, height, width)
    assert {spec["name"] for spec in inputs.values()} == {"image"}
    assert any("onnx files take images as (N, C, H, W)" in note for note in report["notes"])
    assert {row["verdict"] for row in report["parity"]} == {"pass"}
    assert len(report["latency"]) == 4


def test_inspect_tells_it(turned: Place) -> None:
    ended = ran(turned, "inspect", "dist/tiny.fp32.onnx", "--json")
    assert json.loads(ended.out)["layout"] == "NCHW"
    assert "NCHW" in ran(turned, "inspect", "dist/tiny.fp32.onnx").out
    ended = ran(turned, "inspect", "dist/tiny.fp32.tflite", "--json")
    assert json.loads(ended.out)["layout"] == "NHWC"


@pytest.mark.slow
def test_verify_compares_them_and_replays_golden_vectors(turned: Place, given: Given) -> None:
    words = ("dist/tiny.int8.onnx", "--data", str(given.data), "--max-drop", "10")
    ended = ran(turned, "verify", *words, "--reference", str(given.model), "--save-golden", "golden.npz")
    assert ended.code == 0, ended.err
    assert "takes its channels first" in ended.out + ended.err
    ended = ran(turned, "verify", "dist/tiny.int8.onnx", "--golden", "golden.npz")
    assert ended.code == 0, ended.err


@pytest.mark.slow
def test_one_of_them_is_a_reference_too(turned: Place, given: Given) -> None:
    words = ("dist/tiny.int8.tflite", "--data", str(given.data), "--max-drop", "10")
    ended = ran(turned, "verify", *words, "--reference", "dist/tiny.fp32.onnx")
    assert ended.code == 0, ended.err


@pytest.mark.slow
def test_bench_feeds_them(turned: Place) -> None:
    words = ("--backends", "onnxruntime", "--budget", "3s", "--json")
    ended = ran(turned, "bench", "dist/tiny.int8.onnx", *words)
    assert ended.code in (0, 5), ended.err
    assert json.loads(ended.out)["rows"]


@pytest.mark.slow
def test_package_says_that_apps_give_channels_last(turned: Place, given: Given) -> None:
    words = ("dist", "--data", str(given.data), "--images", "20", "--golden", "4", "--out", "bundle")
    ended = ran(turned, "package", *words, "--profiles", "onnx")
    assert ended.code == 3
    assert "takes its channels first (NCHW)" in ended.err
    assert "convert without --nchw" in ended.err
    assert "Traceback" not in ended.err
    ended = ran(turned, "package", *words)  # without --profiles, what has nothing to hold is left out
    assert ended.code == 0, ended.err
    assert "takes its channels first (NCHW)" in (turned.here / "bundle/README.md").read_text()
    assert not list((turned.here / "bundle").glob("onnx/*"))


def test_without_onnx_it_is_wrong_usage(place: Place, given: Given, tmp_path: Path) -> None:
    data = ("--data", str(given.data), "--schemes", "fp32", "--formats", "tflite")
    ended = place.run(str(given.model), *data, "--nchw", "--out", "dist")
    assert ended.code == 2
    assert "--nchw is for ONNX" in ended.err
    assert not (place.here / "dist").exists()
