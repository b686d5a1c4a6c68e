"""Tests of `resnet-edge prune --method magnitude` through the real command, on data so small that
it takes seconds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from resnet_edge.cli import main
from resnet_edge.core.artifact import sha256_of
from tests.cli.conversion import heeded
from tests.cli.test_train import weights

COMMAND = [sys.executable, "-m", "resnet_edge", "prune"]
AMOUNT = 0.75


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """192 images of 16x16x1 in three classes that brightness tells apart."""
    random = np.random.default_rng(0)
    labels = np.arange(192) % 3
    images = (random.integers(0, 60, (192, 16, 16, 1)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, images=images, labels=labels, class_names=["dark", "middle", "light"])
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained ResNet-8 with a sidecar that names the classes."""
    from resnet_edge import zoo

    path = tmp_path_factory.mktemp("model") / "net.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Keras 3.15 converts variables in an old way
        zoo.build("resnet8", (16, 16, 1), 3).save(path)
    path.with_suffix(".json").write_text('{"class_names": ["a", "b", "c"]}')
    return path


def options(model: Path | str, data: Path, out: Path, *more: str) -> list[str]:
    recipe = ["--epochs", "5", "--batch-size", "32", "--validation", "0.25", "--warmup-epochs", "0"]
    return [
        *(str(model), "--method", "magnitude", "--amount", str(AMOUNT), *recipe),
        *("--data", str(data), "--out", str(out), *more),
    ]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["prune", *arguments])


@pytest.fixture(scope="module")
def pruned(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A finished, never interrupted run: its folder and what --json said."""
    folder, before = tmp_path_factory.mktemp("pruned"), sha256_of(model)
    words = options(model, data, folder / "thin.keras", "--json")
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "epoch   5/5" in done.stderr
    assert sha256_of(model) == before
    reply: dict[str, Any] = json.loads(done.stdout)
    return folder, reply


def test_the_zeros_are_in_the_file_as_asked_for(model: Path, pruned: tuple[Path, dict[str, Any]]) -> None:
    base, thin = weights(model), weights(pruned[0] / "thin.keras")
    assert {name: array.shape for name, array in thin.items()} == {n: a.shape for n, a in base.items()}
    kernels = [array for array in thin.values() if array.ndim in (2, 4)]
    shares = sorted(float(np.mean(kernel == 0)) for kernel in kernels)
    assert len(shares) == 10
    assert shares[0] == 0  # the first convolution
    assert shares[1:] == pytest.approx([AMOUNT] * 9, abs=0.01)


def test_json_tells_before_and_after_and_each_layer(pruned: tuple[Path, dict[str, Any]]) -> None:
    folder, reply = pruned
    step = reply["step"]
    before, after, details = step["before"], step["after"], step["details"]
    assert reply["file"] == str(folder / "thin.keras")
    assert after["sha256"] == sha256_of(folder / "thin.keras")
    assert (before["n"], after["n"], after["images"]) == (48, 48, "48 held-out images")
    assert (before["parameters"], before["macs"]) == (after["parameters"], after["macs"])
    assert after["gzip_bytes"] < 0.6 * before["gzip_bytes"]
    assert [row["epoch"] for row in details["history"]] == [1, 2, 3, 4, 5]
    assert after["top1"] == pytest.approx(details["history"][-1]["val_accuracy"], abs=1e-5)
    assert len(details["layers"]) == 9
    assert details["sparsity"] == pytest.approx(AMOUNT, abs=0.001)
    assert len(details["dense_layers"]) == 1
    assert details["plan"]["end"] <= 0.6 * 5 * 4
    assert details["framework"].startswith("tf_keras")


def test_it_says_plainly_what_zeros_are_good_for(pruned: tuple[Path, dict[str, Any]]) -> None:
    (note,) = pruned[1]["notes"]
    assert f"{pruned[1]['step']['after']['gzip_bytes']:,} bytes with gzip" in note
    assert "not the latency" in note
    assert "--method channel" in note


def test_the_sidecar_keeps_the_class_names_and_the_step(pruned: tuple[Path, dict[str, Any]]) -> None:
    sidecar = json.loads((pruned[0] / "thin.json").read_text())
    assert sidecar["class_names"] == ["a", "b", "c"]
    (step,) = sidecar["steps"]
    assert (step["step"], step["details"]["method"]) == ("prune", "magnitude")
    assert "--method magnitude" in step["command"]


def test_nothing_but_the_model_and_its_sidecar_is_left(pruned: tuple[Path, dict[str, Any]]) -> None:
    assert sorted(file.name for file in pruned[0].iterdir()) == ["thin.json", "thin.keras"]


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_very_same_weights(
    model: Path, data: Path, tmp_path: Path, pruned: tuple[Path, dict[str, Any]]
) -> None:
    """Interrupted while masks are still made anew: step and masks have to come back as they were."""
    out = tmp_path / "thin.keras"
    with heeded():
        process = subprocess.Popen([*COMMAND, *options(model, data, out)], stderr=subprocess.PIPE, text=True)
    folder = out.with_name(f"{out.name}.checkpoint")
    while process.poll() is None and not list(folder.glob("epoch-*.npz")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert [file.name for file in tmp_path.iterdir()] == ["thin.keras.checkpoint"]

    resumed = run(*options(model, data, out, "--resume", "--quiet"))
    assert (resumed.exit_code, resumed.output) == (0, "")
    expected, again = weights(pruned[0] / "thin.keras"), weights(out)
    assert expected.keys() == again.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)


@pytest.mark.slow
def test_convert_takes_it(pruned: tuple[Path, dict[str, Any]], data: Path, tmp_path: Path) -> None:
    words = ["--formats", "tflite", "--schemes", "fp32", "--backends", "litert", "--latency-seconds", "0"]
    result = CliRunner().invoke(
        main,
        [
            *("convert", str(pruned[0] / "thin.keras"), "--out", str(tmp_path / "dist")),
            *(*words, "--data", str(data), "--max-drop", "50", "--quiet"),
        ],
    )
    assert result.exit_code in (0, 5), result.output
    assert (tmp_path / "dist" / "thin.fp32.tflite").is_file()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--amount", "0"], "0<x<1"),
        (["--amount", "1"], "0<x<1"),
        (["--amount", "-0.5"], "0<x<1"),
        (["--amount", "nan"], "Invalid value for '--amount'"),
        (["--method", "random"], "Invalid value for '--method'"),
        (["--schedule", "linear"], "Invalid value for '--schedule'"),
        (["--epochs", "0"], "magnitude pruning happens while the network trains"),
        (["--precision", "mixed_bfloat16"], "trains in float32 only"),
        (["--importance", "norm"], "--importance belongs to --method channel"),
        (["--method", "channel", "--schedule", "constant"], "--schedule belongs to --method magnitude"),
        (["--out", "net.h5"], "must end in .keras"),
    ],
)
def test_wrong_options_exit_2(
    model: Path, data: Path, tmp_path: Path, wrong: list[str], message: str
) -> None:
    result = run(*options(model, data, tmp_path / "thin.keras"), *wrong)
    assert result.exit_code == 2, result.stderr
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_model_itself_cannot_be_the_output(model: Path, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "link.keras"
    other.symlink_to(model)
    for out in (model, model.parent / "." / model.name, other):
        result = run(*options(model, data, out))
        assert result.exit_code == 2
        assert "is the model itself, which is never written to" in result.stderr


def test_a_model_that_is_not_there_exits_3_in_one_line(data: Path, tmp_path: Path) -> None:
    result = run(*options(tmp_path / "gone.keras", data, tmp_path / "thin.keras"))
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
