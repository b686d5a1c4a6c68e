"""Tests of `resnet-edge prune --method channel` through the real command, on a tiny network."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from resnet_edge.cli import main
from tests.cli.conversion import heeded
from tests.cli.test_train import weights

COMMAND = [sys.executable, "-m", "resnet_edge", "prune"]
QUICK = ["--method", "channel", "--epochs", "3", "--batch-size", "32", "--validation", "0.25"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.npz (192 images of 16x16x1 in three classes that brightness tells
    apart) and net.keras, a ResNet-8 for them with fresh weights."""
    import keras

    from resnet_edge import zoo

    folder = tmp_path_factory.mktemp("base")
    random = np.random.default_rng(0)
    labels = np.arange(192) % 3
    images = (random.integers(0, 60, (192, 16, 16, 1)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(folder / "tiny.npz", images=images, labels=labels, class_names=["dark", "middle", "light"])
    keras.utils.set_random_seed(0)
    with warnings.catch_warnings(action="ignore"):  # Keras, as it saves
        zoo.build("resnet8", (16, 16, 1), 3).save(folder / "net.keras")
    return folder


def options(base: Path, out: Path, *more: str) -> list[str]:
    return [str(base / "net.keras"), *QUICK, "--data", str(base / "tiny.npz"), "--out", str(out), *more]


def run(arguments: Sequence[str]) -> Result:
    return CliRunner().invoke(main, ["prune", *arguments])


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def pruned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A finished, never interrupted run: its folder and what --json said."""
    folder, before = tmp_path_factory.mktemp("pruned"), digest(base / "net.keras")
    done = subprocess.run(
        [*COMMAND, *options(base, folder / "half.keras", "--json")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "epoch   3/3" in done.stderr
    assert digest(base / "net.keras") == before
    assert sorted(file.name for file in folder.iterdir()) == ["half.json", "half.keras"]
    reply: dict[str, Any] = json.loads(done.stdout)
    return folder, reply


def test_half_of_the_multiplications_are_gone_from_the_file(pruned: tuple[Path, dict[str, Any]]) -> None:
    import keras

    folder, reply = pruned
    before, after = reply["step"]["before"], reply["step"]["after"]
    assert after["macs"] <= before["macs"] / 2
    model = keras.models.load_model(folder / "half.keras")
    assert model.count_params() == after["parameters"] < before["parameters"]
    widths = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert all(width % 8 == 0 for width in widths)


def test_the_story_is_in_the_sidecar(pruned: tuple[Path, dict[str, Any]], base: Path) -> None:
    folder, reply = pruned
    (step,) = json.loads((folder / "half.json").read_text())["steps"]
    assert step == reply["step"]
    assert step["before"]["sha256"] == digest(base / "net.keras")
    assert step["after"]["sha256"] == digest(folder / "half.keras")
    assert (step["details"]["method"], step["details"]["importance"]) == ("channel", "norm")
    assert [row["epoch"] for row in step["details"]["history"]] == [1, 2, 3]
    assert step["after"]["images"] == step["before"]["images"] == "48 held-out images"
    groups = {group["name"]: group for group in step["details"]["groups"]}
    assert any(group["after"] < group["before"] for group in groups.values())
    (latency,) = step["latency"]
    assert (latency["format"], latency["scheme"], latency["backend"]) == ("tflite", "int8", "litert")
    assert latency["before_ms"] > 0 < latency["after_ms"]


@pytest.mark.slow
def test_an_interrupted_fine_tuning_resumes_to_the_very_same_weights(
    base: Path, tmp_path: Path, pruned: tuple[Path, dict[str, Any]]
) -> None:
    out = tmp_path / "half.keras"
    with heeded():
        process = subprocess.Popen([*COMMAND, *options(base, out)], stderr=subprocess.PIPE, text=True)
    folder = tmp_path / "half.keras.checkpoint"
    while process.poll() is None and not list(folder.glob("epoch-*.npz")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert (process.returncode, "Traceback" in stderr) == (130, False)
    assert [file.name for file in tmp_path.iterdir()] == ["half.keras.checkpoint"]

    assert "half.keras.checkpoint keeps what is done" in stderr
    chosen = json.loads((folder / "chosen.json").read_text())
    chosen["candidate"]["file"] = str(base / "other.keras")  # what the document names is not opened
    (folder / "chosen.json").write_text(json.dumps(chosen))
    resumed = run(options(base, out, "--quiet"))
    assert (resumed.exit_code, resumed.output) == (0, "")
    expected, again = weights(pruned[0] / "half.keras"), weights(out)
    assert expected.keys() == again.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)


def test_the_result_converts_and_its_report_tells_the_story(
    base: Path, tmp_path: Path, pruned: tuple[Path, dict[str, Any]]
) -> None:
    out = tmp_path / "dist"
    arguments = [str(pruned[0] / "half.keras"), "--data", str(base / "tiny.npz"), "--schemes", "fp32"]
    done = CliRunner().invoke(
        main, ["convert", *arguments, "--formats", "tflite", "--latency-seconds", "0", "--out", str(out)]
    )
    assert done.exit_code in (0, 5), done.output  # 192 images are too few to prove much
    report = json.loads((out / "report.json").read_text())
    assert report["model"]["macs"] == pruned[1]["step"]["after"]["macs"]


@pytest.mark.slow
def test_a_search_by_latency_ends_at_a_network_that_is_smaller(base: Path, tmp_path: Path) -> None:
    done = run(
        options(
            base,
            tmp_path / "fast.keras",
            "--target-latency",
            "0.9x",
            "--importance",
            "taylor",
            "--epochs",
            "0",
            "--json",
        )
    )
    if done.exit_code == 3:  # a machine on which this small a network gets no faster
        assert "--target-latency 0.9x is out of reach" in done.output
        return
    assert done.exit_code == 0, done.output
    step = json.loads(done.stdout)["step"]
    assert step["latency"][0]["ratio"] <= 0.9
    assert step["after"]["macs"] < step["before"]["macs"]


def layers_of(file: Path) -> set[str]:
    import keras

    return {layer.name for layer in keras.models.load_model(file).layers}


BLOCK = {"stage1_block1_conv1", "stage1_block1_conv2", "stage1_block1_add"}


@pytest.mark.slow
def test_so_many_blocks_go_and_no_channel(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "short.keras"
    done = run(options(base, out, "--remove-blocks", "1", "--epochs", "0", "--json"))
    assert done.exit_code == 0, done.output
    step = json.loads(done.stdout)["step"]
    assert step["title"].startswith("1 block removed: 0.")
    assert step["details"]["removed_blocks"] == ["stage1_block1_add"]
    assert not BLOCK & layers_of(out)
    left = [group for group in step["details"]["groups"] if group["after"] != group["before"]]
    assert [(group["name"], group["after"]) for group in left] == [("stage1_block1_conv1", 0)]
    assert step["after"]["macs"] < step["before"]["macs"]


@pytest.mark.slow
def test_blocks_go_before_channels_down_to_the_amount(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.keras"
    done = run(options(base, out, "--blocks", "--amount", "0.6", "--epochs", "1", "--json"))
    assert done.exit_code == 0, done.output
    step = json.loads(done.stdout)["step"]
    assert step["title"].startswith("1 block removed, channels pruned to 0.")
    assert step["after"]["macs"] <= 0.4 * step["before"]["macs"]
    assert not BLOCK & layers_of(out)
    assert step["details"]["rules"]["blocks"] is True


@pytest.mark.slow
def test_an_amount_smaller_than_a_block_is_met_by_channels(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "whole.keras"
    done = run(options(base, out, "--blocks", "--amount", "0.1", "--epochs", "0", "--json"))
    assert done.exit_code == 0, done.output
    step = json.loads(done.stdout)["step"]
    assert step["title"].startswith("channels pruned to 0.")
    assert step["details"]["removed_blocks"] == []
    assert layers_of(out) >= BLOCK


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--amount", "1"], 2, "'--amount'"),
        (["--amount", "-0.1"], 2, "'--amount'"),
        (["--amount", "0.99"], 3, "out of reach: these rules reach"),
        (["--exclude", "stem,nowhere*"], 2, "no layer 'nowhere*' to exclude"),
        (["--target-latency", "2x"], 2, "between 0 and 1"),
        (["--target-latency", "fast"], 2, "between 0 and 1"),
        (["--target-latency", "0.5x", "--amount", "0.5"], 2, "--amount and --target-latency"),
        (["--sparsity", "0.1"], 2, "--sparse-epochs"),
        (["--schedule", "constant"], 2, "--schedule belongs to --method magnitude"),
        (["--backend", "tensorrt"], 2, "'tensorrt'"),
        (["--scheme", "int3"], 2, "'int3'"),
        (["--temperature", "2"], 2, "--temperature needs --teacher"),
        (["--teacher", "resnet8"], 2, "of 10 classes, and the student 16x16x1 of 3 classes"),
        (["--remove-blocks", "2"], 2, "has 1 that can go"),
        (["--remove-blocks", "0"], 2, "'--remove-blocks'"),
        (["--remove-blocks", "1", "--no-blocks"], 2, "say the opposite"),
        (["--blocks", "--exclude", "stage1*"], 3, "no block that can be removed"),
        (["--blocks", "--amount", "0.99"], 3, "out of reach, with 1 block removed as well"),
        (["--resume"], 2, "nothing to resume"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    base: Path, tmp_path: Path, more: list[str], code: int, message: str
) -> None:
    result = run(options(base, tmp_path / "half.keras", *more, "--quiet"))
    assert (result.exit_code, message in result.output) == (code, True), result.output
    assert list(tmp_path.iterdir()) == []


def test_the_model_is_never_the_output(base: Path) -> None:
    before = digest(base / "net.keras")
    result = run(options(base, base / "net.keras"))
    assert result.exit_code == 2, result.output
    assert digest(base / "net.keras") == before


def test_data_of_another_size_does_not_fit(base: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros((8, 8, 8, 1), np.uint8), labels=np.arange(8) % 2)
    arguments = [str(base / "net.keras"), *QUICK, "--out", str(tmp_path / "half.keras")]
    result = run([*arguments, "--data", str(tmp_path / "other.npz"), "--quiet"])
    assert (result.exit_code, "the model takes 16x16x1" in result.output) == (3, True), result.output
    assert [file.name for file in tmp_path.iterdir()] == ["other.npz"]
