"""`convert --dense-scales`: files say what they take, and without the option are as they were."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from resnet_edge.compatibility.tflite import minimums
from resnet_edge.graph.model import load_model, read_graph
from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place

FAST = ("--latency-seconds", "0", "--calibrator", "minmax", "--no-plan", "--max-drop", "10", "--json")
SCHEMES = ("--schemes", "dynamic,int8")


def convert(place: Place, given: Given, out: str, *words: str) -> Ended:
    data = ("--data", str(given.data), "--calibration", str(given.calibration))
    return place.run(str(given.model), *data, *FAST, *SCHEMES, "--out", out, *words)


def scales_of_dense(path: Path) -> int:
    graph = read_graph(path)
    [dense] = [graph.tensors[node.inputs[1]] for node in graph.nodes if node.op == "FULLY_CONNECTED"]
    assert dense.quantization is not None
    return len(dense.quantization.scale)


def oldest(path: Path) -> str:
    return next(each.version for each in minimums(load_model(path)) if each.runtime == "TensorFlow Lite")


@pytest.mark.slow
def test_a_scale_for_each_output_is_in_every_file_and_told(place: Place, given: Given) -> None:
    ended = convert(place, given, "each", "--dense-scales", "per-channel")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["dense_scales"] == "per-channel"
    assert report["calibration"]["shared_scale"] is None
    assert [note for note in report["notes"] if "older runtimes refuse them" in note]
    folder = place.here / "each"
    assert "older runtimes refuse them" in (folder / "report.md").read_text()
    for scheme, release in (("dynamic", "2.17"), ("int8", "2.13")):
        path = folder / f"tiny.{scheme}.tflite"
        assert scales_of_dense(path) == 4
        assert oldest(path) == release
    [alike] = [note for note in report["notes"] if "bit for bit" in note]
    assert "on 100.00 % of the output values" in alike, "the ONNX file has the same scales"


@pytest.mark.slow
@pytest.mark.slow
def test_the_default_is_one_scale_and_the_same_bytes(place: Place, given: Given) -> None:
    files = []
    for out, words in (("plain", ()), ("named", ("--dense-scales", "per-tensor"))):
        ended = convert(place, given, out, *words)
        assert ended.code == 0, ended.err
        report = json.loads(ended.out)
        assert report["dense_scales"] == "per-tensor"
        assert report["calibration"]["shared_scale"]["n"] == 100
        folder = place.here / out
        assert scales_of_dense(folder / "tiny.int8.tflite") == 1
        assert oldest(folder / "tiny.int8.tflite") == "1.14"
        digests = (hashlib.sha256(path.read_bytes()).digest() for path in sorted(folder.glob("tiny.*.*")))
        files.append(list(digests))
    assert files[0] == files[1]


def test_a_runtime_that_would_compute_it_wrongly_is_one_line(place: Place, given: Given) -> None:
    ended = convert(place, given, "dist", "--dense-scales", "per-channel", "--runtimes", "tflite>=2.5")
    assert ended.code == 2
    [line] = [line for line in ended.err.splitlines() if "--dense-scales" in line]
    assert "in dynamic needs TensorFlow Lite 2.17, and --runtimes asks for tflite>=2.5" in line
    assert "Traceback" not in ended.err
    assert not (place.here / "dist").exists()
