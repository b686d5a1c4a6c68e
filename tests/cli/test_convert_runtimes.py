"""`convert --runtimes`: what cannot run there is left out, or an error where it was asked for by name."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place

FAST = ("--latency-seconds", "0", "--no-plan", "--max-drop", "10", "--json")


def convert(place: Place, given: Given, *words: str) -> Ended:
    calibrated = ("--calibration", str(given.calibration), "--calibrator", "minmax")
    more = () if "--schemes" in words else calibrated  # those that are named here have no int8
    return place.run(str(given.model), "--data", str(given.data), *more, *FAST, "--out", "dist", *words)


@pytest.mark.slow
def test_a_scheme_that_a_runtime_cannot_hold_is_left_out_and_said(place: Place, given: Given) -> None:
    """Weights in int8 and activations in float came to TensorFlow Lite after files in float."""
    ended = convert(place, given, "--formats", "tflite", "--runtimes", "tflite>=1.15")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert {each["scheme"] for each in report["artifacts"]} == {"fp32", "fp16", "int8"}
    assert not (place.here / "dist/tiny.dynamic.tflite").exists()
    [note] = [note for note in report["notes"] if "left out" in note]
    assert "tiny.dynamic.tflite needs TensorFlow Lite 2." in note
    assert "--runtimes asks for tflite>=1.15" in note
    assert [note for note in report["notes"] if "no file was run on tflite>=1.15" in note] or [
        row for row in report["parity"] if row["backend"] == "tflite@2.5"
    ]


@pytest.mark.slow
def test_a_scheme_that_was_named_is_an_error(place: Place, given: Given) -> None:
    words = ("--formats", "tflite", "--schemes", "fp32,dynamic", "--runtimes", "tflite>=1.15")
    ended = convert(place, given, *words)
    assert ended.code == 3
    assert "tiny.dynamic.tflite needs TensorFlow Lite 2." in ended.err
    assert "leave dynamic out of --schemes" in ended.err
    assert "Traceback" not in ended.err
    assert not (place.here / "dist").exists()
    assert (place.here / "dist.partial/tiny.fp32.tflite").exists()


@pytest.mark.slow
def test_where_nothing_can_run_there_is_nothing(place: Place, given: Given) -> None:
    ended = convert(place, given, "--formats", "onnx", "--schemes", "fp32", "--runtimes", "onnxruntime>=1.5")
    assert ended.code == 3
    assert "needs ONNX Runtime 1." in ended.err
    assert not (place.here / "dist").exists()


def test_what_names_no_runtime_is_wrong_usage(place: Place, given: Given) -> None:
    ended = convert(place, given, "--runtimes", "tflite>=new")
    assert ended.code == 2
    assert "'new' is no version of tflite" in ended.err
    ended = convert(place, given, "--formats", "tflite", "--runtimes", "onnxruntime>=1.12")
    assert ended.code == 2
    assert "--runtimes onnxruntime>=1.12 is for onnx: add it to --formats" in ended.err
