"""Tests of `resnet-edge qat` through the real command, and of what `convert` makes of its result."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from resnet_edge.cli import main
from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Place, tinted_images

COMMAND = [sys.executable, "-m", "resnet_edge", "qat"]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def trained(given: Given, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A finished run: its folder and what --json said."""
    folder, before = tmp_path_factory.mktemp("qat"), digest(given.model)
    images, labels = tinted_images(240, seed=4)
    np.savez(folder / "data.npz", images=images, labels=labels, class_names=np.array(NAMES))
    # The classifier was solved for, not trained: its last layer is too large for any other rate.
    recipe = [
        "--learning-rate",
        "1e-7",
        "--epochs",
        "2",
        "--batch-size",
        "32",
        "--validation",
        "0.25",
        "--augment",
        "none",
    ]
    words = [
        str(given.model),
        *recipe,
        "--data",
        str(folder / "data.npz"),
        "--out",
        str(folder / "net.keras"),
    ]
    done = subprocess.run([*COMMAND, *words, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "epoch   2/2" in done.stderr
    assert digest(given.model) == before
    assert sorted(file.name for file in folder.iterdir()) == ["data.npz", "net.json", "net.keras"]
    reply: dict[str, Any] = json.loads(done.stdout)
    return folder, reply


def test_json_tells_the_step(trained: tuple[Path, dict[str, Any]]) -> None:
    folder, reply = trained
    assert reply["file"] == str(folder / "net.keras")
    assert reply["step"]["step"] == "qat"
    assert reply["step"]["command"].startswith("resnet-edge ")
    assert reply["step"]["details"]["recipe"]["epochs"] == 2
    assert reply["step"]["after"]["n"] == 59


def test_convert_gives_the_learned_ranges_to_both_formats(
    trained: tuple[Path, dict[str, Any]], given: Given, place: Place
) -> None:
    words = ["--data", str(given.data), "--calibration", str(given.calibration), "--schemes", "int8"]
    words += ["--max-drop", "3", "--latency-seconds", "0", "--out", "out"]  # 3,000 images prove no 0.5
    ended = place.run(str(trained[0] / "net.keras"), *words)
    assert ended.code == 0, ended.err
    report = json.loads((place.here / "out" / "report.json").read_text())
    layers = trained[1]["step"]["details"]["learned_ranges"]
    assert report["model"]["learned_ranges"] == layers
    assert report["calibration"]["learned"]["layers"] == layers
    assert {trial["calibrator"] for trial in report["calibration"]["tried"]} == {"minmax"}, "they have no say"
    assert set(report["calibration"]["repairs"]) <= {"round", "bias"}, "what leaves the ranges as they are"
    assert any(f"{layers} layers were learned by qat" in note for note in report["notes"])
    tflite, onnx = sorted(row["file"] for row in report["artifacts"])[::-1]
    (agreement,) = [note for note in report["notes"] if note.startswith(f"{tflite} and {onnx} agree")]
    match = re.search(r"the top-1 of 3,000 of 3,000 images and on ([\d.]+) % of the output values", agreement)
    assert match is not None, agreement
    assert float(match[1]) > 99.9  # of LiteRT's and ONNX Runtime's mean over an image, one rounds otherwise


@pytest.mark.slow
def test_convert_of_a_model_without_them_says_that_none_were_learned(given: Given, place: Place) -> None:
    words = ["--data", str(given.data), "--calibration", str(given.calibration), "--schemes", "int8"]
    small = ["--formats", "tflite", "--latency-seconds", "0", "--out", "out"]
    assert place.run(str(given.model), *words, *small).code == 0
    report = json.loads((place.here / "out" / "report.json").read_text())
    assert (report["model"]["learned_ranges"], report["calibration"]["learned"]) == (0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--out", "{model}"], "is the model itself"),
        (["--out", "net.h5"], "must end in .keras"),
        (["--precision", "mixed_bfloat16"], "Invalid value"),
        (["--epochs", "0"], "Invalid value"),
        (["--teacher-weight", "0.5"], "needs --teacher MODEL"),
    ],
)
def test_wrong_options_exit_2(given: Given, tmp_path: Path, change: list[str], message: str) -> None:
    words = [str(given.model), "--data", str(given.data), "--out", str(tmp_path / "net.keras")]
    changed = [word.replace("{model}", str(given.model)) for word in change]
    result = CliRunner().invoke(main, ["qat", *words, *changed])
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_there_exits_3(given: Given, tmp_path: Path) -> None:
    words = [str(tmp_path / "gone.keras"), "--data", str(given.data), "--out", str(tmp_path / "net.keras")]
    result = CliRunner().invoke(main, ["qat", *words])
    assert result.exit_code == 3
    assert result.stderr.startswith("error: ")
    assert "does not exist" in result.stderr
