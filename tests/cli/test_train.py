"""Tests of `resnet-edge train` through the real command, on data so small that it takes seconds."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from resnet_edge.cli import main
from tests.cli.conversion import heeded

COMMAND = [sys.executable, "-m", "resnet_edge", "train"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """192 images of 16x16x1 in three classes that brightness tells apart."""
    random = np.random.default_rng(0)
    labels = np.arange(192) % 3
    images = (random.integers(0, 60, (192, 16, 16, 1)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, images=images, labels=labels, class_names=["dark", "middle", "light"])
    return path


def options(data: Path | str, out: Path, *more: str) -> list[str]:
    recipe = ["--arch", "resnet8", "--epochs", "6", "--batch-size", "32", "--validation", "0.25"]
    return [*recipe, "--warmup-epochs", "1", "--data", str(data), "--out", str(out), *more]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", *arguments])


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A finished, never interrupted run: its folder and what --json said."""
    folder = tmp_path_factory.mktemp("trained")
    done = subprocess.run(
        [*COMMAND, *options(tiny, folder / "net.keras", "--json")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "epoch   6/6" in done.stderr
    reply: dict[str, Any] = json.loads(done.stdout)
    return folder, reply


def weights(model: Path) -> dict[str, NDArray[Any]]:
    """The arrays in a .keras file, without Keras."""
    arrays = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(keep)
    return arrays


def test_json_names_the_file_and_the_held_out_accuracy(trained: tuple[Path, dict[str, Any]]) -> None:
    folder, reply = trained
    assert reply["file"] == str(folder / "net.keras")
    assert set(reply) == {
        "file", "state", "validation_top1", "validation_n", "validation_top1_ci95", "notes",
    }  # fmt: skip
    low, high = reply["validation_top1_ci95"]
    assert low < reply["validation_top1"] <= high
    assert reply["validation_n"] == reply["state"]["n"]
    assert reply["state"]["top1_ci95"] == pytest.approx([low, high])
    assert (reply["state"]["n"], reply["state"]["images"]) == (48, "48 held-out images")
    assert 0 <= reply["validation_top1"] <= 1
    assert reply["state"]["top1"] == pytest.approx(reply["validation_top1"], abs=1e-5)
    held = sum(array.size for array in weights(folder / "net.keras").values())
    assert reply["state"]["parameters"] == held


def test_the_sidecar_holds_the_recipe_and_the_whole_history(trained: tuple[Path, dict[str, Any]]) -> None:
    folder, reply = trained
    sidecar = json.loads((folder / "net.json").read_text())
    assert sidecar["class_names"] == ["dark", "middle", "light"]
    (step,) = sidecar["steps"]
    assert (step["step"], step["details"]["arch"], step["details"]["data"]["n"]) == ("train", "resnet8", 192)
    assert [row["epoch"] for row in step["details"]["history"]] == [1, 2, 3, 4, 5, 6]
    assert step["details"]["history"][-1]["val_accuracy"] == reply["validation_top1"]


def test_nothing_but_the_model_and_its_sidecar_is_left(trained: tuple[Path, dict[str, Any]]) -> None:
    assert sorted(file.name for file in trained[0].iterdir()) == ["net.json", "net.keras"]


def interrupted_run(data: Path, out: Path, sign: signal.Signals) -> subprocess.Popen[str]:
    """A run that gets `sign` once its first epoch is kept."""
    with heeded():
        process = subprocess.Popen([*COMMAND, *options(data, out)], stderr=subprocess.PIPE, text=True)
    folder = out.with_name(f"{out.name}.checkpoint")
    while process.poll() is None and not list(folder.glob("epoch-*.npz")):
        time.sleep(0.01)
    process.send_signal(sign)
    return process


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_very_same_weights(
    tiny: Path, tmp_path: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    out = tmp_path / "net.keras"
    process = interrupted_run(tiny, out, signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == (
        f"error: interrupted; {out}.checkpoint keeps what is done: the same command goes on with it, and "
        "--overwrite with other options, or removing that folder, gives it up"
    )
    assert "Traceback" not in stderr
    assert [file.name for file in tmp_path.iterdir()] == ["net.keras.checkpoint"]

    other = run(*options(tiny, out, "--seed", "5", "--quiet"))
    assert (other.exit_code, "give it up with --overwrite" in other.output) == (2, True)
    resumed = run(*options(tiny, out))
    assert resumed.exit_code == 0, resumed.output
    assert re.search(r"going on behind epoch \d of 6", resumed.output)
    expected, again = weights(trained[0] / "net.keras"), weights(out)
    assert expected.keys() == again.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)
    history = json.loads((tmp_path / "net.json").read_text())["steps"][0]["details"]["history"]
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]


def test_an_interrupt_before_the_first_epoch_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.keras"
    with heeded():
        process = subprocess.Popen([*COMMAND, *options(tiny, out)], stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (tmp_path / "net.keras.checkpoint/recipe.json").is_file():
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert (process.returncode, stderr.splitlines()[-1]) == (
        130,
        "error: interrupted; nothing half-written is left",
    )
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("there", ["net.keras", "net.json"])
def test_a_trained_model_is_not_replaced_unasked(tiny: Path, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text('{"steps": []}')
    result = run(*options(tiny, tmp_path / "net.keras"))
    assert (result.exit_code, len(result.stderr.splitlines())) == (3, 1)  # before any work
    assert f"{there} exists: give --overwrite" in result.stderr
    assert (tmp_path / there).read_text() == '{"steps": []}'


@pytest.mark.slow
def test_a_trained_model_is_replaced_once_the_new_one_is_whole(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "net.keras").write_text("old")
    (tmp_path / "net.json").write_text('{"steps": []}')
    words = options(tiny, tmp_path / "net.keras", "--overwrite", "--quiet")
    failed = run(*words, "--learning-rate", "1e30", "--warmup-epochs", "0")
    assert (failed.exit_code, (tmp_path / "net.keras").read_text()) == (3, "old")
    done = run(*words, "--epochs", "1")
    assert (done.exit_code, done.output) == (0, "")
    assert zipfile.is_zipfile(tmp_path / "net.keras")
    assert len(json.loads((tmp_path / "net.json").read_text())["steps"]) == 1
    assert len([*tmp_path.iterdir()]) == 2


def test_a_file_that_is_no_sidecar_is_never_replaced(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text('{"my": "notes"}')
    result = run(*options(tiny, tmp_path / "net.keras", "--overwrite"))
    assert (result.exit_code, "is not ours" in result.stderr) == (3, True)


def test_data_that_cannot_be_learned_from_exits_3_in_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", images=np.zeros((8, 16, 16, 1), np.uint8))
    result = run(*options(tmp_path / "bad.npz", tmp_path / "net.keras", "--quiet"))
    assert result.exit_code == 3
    assert "has no labels" in result.stderr
    assert result.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["bad.npz"]


@pytest.mark.parametrize(
    ("out", "code", "message"),
    [("net.h5", 2, "must end in .keras"), ("gone/net.keras", 3, "does not exist: make it first")],
)
def test_a_bad_out_is_told_before_anything_runs(
    tiny: Path, tmp_path: Path, out: str, code: int, message: str
) -> None:
    result = run(*options(tiny, tmp_path / out))
    assert result.exit_code == code
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable(tiny: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = run(*options(tiny, tmp_path / "net.keras"))
    tmp_path.chmod(0o700)
    assert result.exit_code == 3
    assert "is not writable" in result.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["--arch", "resnet21"],
        ["--epochs", "0"],
        ["--learning-rate", "0"],
        ["--input-shape", "28,28"],
        ["--input-shape", "28,28,0"],
        ["--precision", "int8"],
    ],
)
def test_wrong_options_exit_2(tiny: Path, tmp_path: Path, wrong: list[str]) -> None:
    result = run(*options(tiny, tmp_path / "net.keras"), *wrong)
    assert result.exit_code == 2
    assert "Invalid value" in result.stderr


@pytest.mark.slow
def test_a_run_that_starts_from_a_model_goes_on_with_its_story(
    tiny: Path, tmp_path: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    start = trained[0] / "net.keras"
    more = ["--start", str(start), "--teacher", str(start), "--epochs", "1", "--quiet"]
    result = run(*options(tiny, tmp_path / "on.keras"), *more)
    assert result.exit_code == 0, result.output
    first, second = json.loads((tmp_path / "on.json").read_text())["steps"]
    assert second["before"]["sha256"] == first["after"]["sha256"]
    assert second["before"]["top1"] == first["after"]["top1"]
    assert second["details"]["recipe"]["teacher"] == str(start)


@pytest.mark.slow
def test_it_starts_from_a_model_of_smaller_images(
    tmp_path: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    """As photos are trained on: cheaply at first. The weights are those of the start."""
    random = np.random.default_rng(1)
    labels = np.arange(48) % 3
    images = (random.integers(0, 60, (48, 24, 20, 1)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(tmp_path / "larger.npz", images=images, labels=labels, class_names=["dark", "middle", "light"])
    start = trained[0] / "net.keras"
    more = ["--start", str(start), "--epochs", "1", "--learning-rate", "1e-9", "--quiet"]
    result = run(*options(tmp_path / "larger.npz", tmp_path / "on.keras"), *more)
    assert result.exit_code == 0, result.output
    first, second = json.loads((tmp_path / "on.json").read_text())["steps"]
    assert second["before"]["sha256"] == first["after"]["sha256"]
    assert second["after"]["macs"] > 1.5 * first["after"]["macs"]
    np.testing.assert_allclose(_first_kernel(start), _first_kernel(tmp_path / "on.keras"), atol=1e-5)


def _first_kernel(file: Path) -> Any:
    weights = zipfile.ZipFile(file).read("model.weights.h5")
    with h5py.File(io.BytesIO(weights)) as content:
        return content["layers/conv2d/vars/0"][()]


def test_a_start_of_images_with_other_channels_is_refused(
    tmp_path: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    np.savez(tmp_path / "colour.npz", images=np.zeros((8, 16, 16, 3), np.uint8), labels=np.arange(8) % 2)
    arguments = options(tmp_path / "colour.npz", tmp_path / "on.keras")
    result = run(*arguments, "--start", str(trained[0] / "net.keras"), "--quiet")
    assert (result.exit_code, "takes images of 1 channel(s), and these have 3" in result.output) == (2, True)


def test_a_start_that_is_another_network_is_refused(
    tiny: Path, tmp_path: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    arguments = options(tiny, tmp_path / "on.keras", "--start", str(trained[0] / "net.keras"))
    result = run(*arguments, "--arch", "resnet20", "--quiet")
    assert (result.exit_code, "another network than --arch resnet20" in result.output) == (2, True)
    assert list(tmp_path.iterdir()) == []
