"""Tests of `--devices` and `--processes` through the real commands, on devices that a CPU is split into: the
training is that of one device.

How near, with u = 2^-24, by which float32 rounds: n values that are summed in another order come to a sum
that is another by n u of the sum of their magnitudes at most (Higham, Accuracy and Stability of Numerical
Algorithms, section 4.2), and by about sqrt(n) u of it, as roundings go up and down (Higham, Mary, "A new
approach to probabilistic rounding error analysis", 2019). The largest sums are those over the images and
pixels of a batch. Each step adds its own. Every array is compared by itself: it is as far off as that, in
parts of its own length.

That no ReLU here has an input so near zero that the last bit decides whether a gradient passes is chance, of
these images and this seed. Where it is otherwise, weights are apart by 10^-2 and losses by 10^-4, and that
is no fault: tests/training/test_placement.py tells the two apart, in float64.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from resnet_edge.cli import main
from resnet_edge.training import peers
from tests.cli.conversion import heeded
from tests.cli.test_train import weights

pytest.importorskip("jax", reason="several devices are JAX's: pip install 'resnet-edge[jax]'")
SIZE, IMAGES, BATCH, EPOCHS = 16, 192, 36, 3
FITTED = 141
"""Of the images, those that are not held out; the others, 51, do not divide by 2."""
STEPS = EPOCHS * (FITTED // BATCH)
U = 2.0**-24
BOUND = STEPS * (BATCH * SIZE * SIZE) ** 0.5 * U
WHOLE = FITTED // 2 * 2
"""Images of a batch of all that divides by 2."""
ONE = {"KERAS_BACKEND": "jax"}
"""The same engine as several devices have."""
ROUNDED = 1e-5
"""The history has five decimals."""
LATEST = 240.0
NET = """
import sys, keras
from keras import layers
keras.utils.set_random_seed(0)
net = [keras.Input((16, 16, 1)), layers.Rescaling(1 / 255)]
for number in (16, 32):
    net += [layers.Conv2D(number, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
net += [layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(3)]
keras.Sequential(net).save(sys.argv[1])
"""
"""A network with dropout, to prune."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in three classes that brightness tells apart, but not easily: losses stay above zero."""
    random = np.random.default_rng(0)
    labels = np.arange(IMAGES) % 3
    images = random.integers(0, 200, (IMAGES, SIZE, SIZE, 1)) + 25 * labels[:, None, None, None]
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, images=images.astype(np.uint8), labels=labels, class_names=["dark", "middle", "light"])
    return path


def recipe(data: Path, out: Path, *more: str) -> list[str]:
    options = ["--epochs", str(EPOCHS), "--batch-size", str(BATCH), "--validation", "0.26"]
    rates = ["--learning-rate", "0.02", "--warmup-epochs", "1"]
    return [*options, *rates, "--data", str(data), "--out", str(out), "--quiet", *more]


def train(data: Path, out: Path, *more: str) -> list[str]:
    return ["train", "--arch", "resnet8", *recipe(data, out, *more)]


def started(words: list[str], **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "resnet_edge", *words]
    with heeded():
        return subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and what it said on stderr."""
    _, errors = process.communicate(timeout=LATEST)
    assert "Traceback" not in errors
    return process.returncode, errors


def run(words: list[str], **environment: str) -> None:
    code, errors = ended(started(words, **environment))
    assert (code, errors) == (0, "")


def split(count: int) -> dict[str, str]:
    return {"JAX_NUM_CPU_DEVICES": str(count)}


def together(port: int, count: int = 2) -> list[list[str]]:
    """The options of each process."""
    address = ["--coordinator", f"127.0.0.1:{port}", "--processes", str(count)]
    return [[*address, "--process-index", str(index)] for index in range(count)]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def single(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one device trains."""
    out = tmp_path_factory.mktemp("one") / "net.keras"
    run(train(data, out), **ONE)
    return out


def details(model: Path) -> dict[str, Any]:
    steps = json.loads(model.with_suffix(".json").read_text("utf-8"))["steps"]
    known: dict[str, Any] = steps[-1]["details"]
    return known


def curve(model: Path) -> dict[str, list[float]]:
    history = details(model)["history"]
    return {name: [row[name] for row in history] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}


def check_same(model: Path, expected: Path) -> None:
    """The same curve, and the same weights."""
    ours, theirs = curve(model), curve(expected)
    assert all(len(values) == EPOCHS for values in ours.values())
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=BOUND, atol=ROUNDED, err_msg=name)
    one, other = weights(model), weights(expected)
    assert one.keys() == other.keys()
    for name, array in other.items():
        assert np.linalg.norm(one[name] - array) <= BOUND * np.linalg.norm(array), name


def check_same_step(model: Path, expected: Path, start: Path) -> None:
    """What one step on all images has changed: in the sum for the shift of a batch normalization nearly
    everything cancels, as the next one takes shifts away again, and the bound is that of any n values."""
    ours, theirs, begun = weights(model), weights(expected), weights(start)
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        if name in begun and begun[name].shape == array.shape:
            changed, stored = np.linalg.norm(array - begun[name]), np.linalg.norm(array)
            bound = WHOLE * SIZE * SIZE * U * changed + U * stored
            assert np.linalg.norm(ours[name] - array) <= bound, name
    one, other = curve(model)["loss"], curve(expected)["loss"]
    np.testing.assert_allclose(one, other, rtol=WHOLE * U, atol=ROUNDED)


@pytest.mark.slow
def test_one_cpu_is_not_split_unasked(data: Path, tmp_path: Path) -> None:
    code, errors = ended(
        started(train(data, tmp_path / "net.keras", "--devices", "2"), JAX_NUM_CPU_DEVICES="1")
    )
    assert (code, errors.count("\n")) == (3, 1)
    assert "--devices 2: JAX has 1 cpu device here" in errors
    assert "For a trial JAX_NUM_CPU_DEVICES=2" in errors
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--devices", "0"], 2, "--devices"),
        (["--devices", "some"], 2, "--devices"),
        (["--processes", "2"], 2, "--processes needs --coordinator HOST:PORT"),
        (["--process-index", "1"], 2, "--process-index is for a training of several processes"),
        (["--coordinator", "x:1"], 2, "--coordinator is for a training of several processes"),
        (["--coordinator", "127.0.0.1:1", "--processes", "2", "--process-index", "1"], 3, "does not answer"),
        (["--coordinator", "192.0.2.1:8476", "--processes", "2"], 2, "process 0 cannot listen there"),
    ],
)
def test_what_cannot_be_is_told_before_any_work(
    data: Path, tmp_path: Path, options: list[str], code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "WAIT", 0.5)
    result = CliRunner().invoke(main, train(data, tmp_path / "net.keras", *options))
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("command", [["qat"], ["prune", "--method", "magnitude"]])
def test_what_tfmot_trains_has_no_processes(data: Path, tmp_path: Path, command: list[str]) -> None:
    words = [*command, "net.keras", "--data", str(data), "--out", str(tmp_path / "o.keras"), *together(1)[0]]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "computes on one machine, as tensorflow-model-optimization works on tf_keras" in result.stderr


@pytest.mark.slow
def test_a_teacher_teaches_several_devices_the_same(data: Path, tmp_path: Path, single: Path) -> None:
    taught = ["--teacher", str(single), "--start", str(single)]
    run(train(data, tmp_path / "one.keras", *taught), **ONE)
    run(train(data, tmp_path / "two.keras", *taught, "--devices", "all"), **split(2))
    check_same(tmp_path / "two.keras", tmp_path / "one.keras")
    known = details(tmp_path / "two.keras")
    assert (known["backend"], known["devices"], known["processes"]) == ("jax", 2, 1)


@pytest.mark.slow
def test_a_batch_that_does_not_divide_leaves_no_image_out(data: Path, tmp_path: Path) -> None:
    words = train(data, tmp_path / "net.keras", "--devices", "2", "--batch-size", "35")
    code, errors = ended(started(words, **split(2)))
    assert (code, "--batch-size 35 does not divide among 2 devices: give 34 or 36" in errors) == (2, True)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_two_processes_train_what_one_trains(data: Path, tmp_path: Path, single: Path, port: int) -> None:
    """Each has two devices, and a place of its own; that of the second stays empty."""
    folders = [tmp_path / "first", tmp_path / "second"]
    processes = []
    for folder, options in zip(folders, together(port), strict=True):
        folder.mkdir()
        words = train(data, folder / "net.keras", "--batch-size", "36", "--devices", "2", *options)
        processes.append(started(words, **split(2)))
    ends = [ended(process) for process in processes]
    assert [code for code, _ in ends] == [0, 0], ends
    check_same(folders[0] / "net.keras", single)
    assert sorted(file.name for file in folders[0].iterdir()) == ["net.json", "net.keras"]
    assert [*folders[1].iterdir()] == []
    known = details(folders[0] / "net.keras")
    assert (known["devices"], known["processes"]) == (4, 2)


@pytest.mark.slow
def test_processes_that_do_not_do_the_same_say_so(data: Path, tmp_path: Path, port: int) -> None:
    words = train(data, tmp_path / "net.keras")
    first, second = together(port)
    ends = [
        ended(process) for process in (started([*words, *first]), started([*words, *second, "--seed", "5"]))
    ]
    message = "error: process 1 of 2 has another --seed than process 0: give all processes the same command"
    for code, errors in ends:
        assert (code, errors.startswith(message)) == (2, True), errors
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_processes_that_have_not_as_many_devices_say_so(data: Path, tmp_path: Path, port: int) -> None:
    """Also where each is to use one of them."""
    words = train(data, tmp_path / "net.keras")
    processes = [
        started([*words, *options], **split(count))
        for options, count in zip(together(port), (2, 1), strict=True)
    ]
    for code, errors in [ended(process) for process in processes]:
        assert code == 2, errors
        assert errors.startswith(
            "error: process 1 of 2 has 1 cpu device, and process 0 has 2: set JAX_NUM_CPU"
        )
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_the_end_of_one_process_ends_the_other(data: Path, tmp_path: Path, port: int, lost: int) -> None:
    """In time, with a line, and with nothing of it left running; the epochs that are done stay done."""
    out = tmp_path / "net.keras"
    words = train(data, out, "--epochs", "400")
    processes = [started([*words, *options]) for options in together(port)]
    wait_for_work(processes[0], out)
    processes[lost].kill()
    began = time.monotonic()
    code, errors = ended(processes[1 - lost])
    assert code == 3
    assert errors.startswith(f"error: process {lost} of 2 went away: start all of them again")
    assert time.monotonic() - began < 30
    processes[lost].communicate(timeout=LATEST)
    wait_for_end_of_workers(port)
    assert [*out.with_name(f"{out.name}.checkpoint").glob("epoch-*.npz")]


def wait_for_work(process: subprocess.Popen[str], out: Path) -> None:
    folder = out.with_name(f"{out.name}.checkpoint")
    until = time.monotonic() + LATEST
    while process.poll() is None and not [*folder.glob("epoch-*.npz")]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()


def wait_for_end_of_workers(port: int) -> None:
    """Nothing listens there any more, as a worker of process 0 does."""
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_with_other_devices(
    data: Path, tmp_path: Path, single: Path, port: int
) -> None:
    """One epoch and more on two devices, and the rest by two processes: the curve and the weights of one
    device."""
    out = tmp_path / "net.keras"
    process = started(train(data, out, "--devices", "2"), **split(2))
    wait_for_work(process, out)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LATEST)
    if process.returncode == 0:
        pytest.skip("it was faster than the interrupt")  # a quick machine: nothing is left to go on with
    assert process.returncode == 130
    words = train(data, out, "--resume")
    ends = [ended(each) for each in [started([*words, *options]) for options in together(port)]]
    assert [code for code, _ in ends] == [0, 0], ends
    check_same(out, single)


@pytest.mark.slow
def test_channels_are_pruned_on_several_devices_as_on_one(data: Path, tmp_path: Path, port: int) -> None:
    """Also with dropout, whose noise is the same on any devices."""
    start = tmp_path / "start.keras"
    subprocess.run([sys.executable, "-c", NET, str(start)], env={**os.environ, **ONE}, check=True)
    words = ["prune", str(start), "--method", "channel", "--sparse-epochs", "1"]
    commands = [
        started([*words, *recipe(data, tmp_path / f"of{number}.keras", *options)])
        for number, options in enumerate(together(port))
    ]
    ends = [ended(process) for process in commands]
    assert [code for code, _ in ends] == [0, 0], ends
    assert not (tmp_path / "of1.keras").exists()
    run([*words, *recipe(data, tmp_path / "one.keras")], **ONE)
    run([*words, *recipe(data, tmp_path / "two.keras", "--devices", "2")], **split(2))
    for name in ("of0", "two"):
        check_same(tmp_path / f"{name}.keras", tmp_path / "one.keras")
    assert details(tmp_path / "two.keras")["devices"] == details(tmp_path / "of0.keras")["processes"] == 2


@pytest.mark.slow
def test_pruning_goes_on_behind_the_choice_with_other_processes(
    data: Path, tmp_path: Path, port: int
) -> None:
    """Process 0 alone has what was chosen, and what was trained before and after it."""
    start, one, out = (tmp_path / f"{name}.keras" for name in ("start", "one", "several"))
    subprocess.run([sys.executable, "-c", NET, str(start)], env={**os.environ, **ONE}, check=True)
    words = ["prune", str(start), "--method", "channel", "--sparse-epochs", "1"]
    run([*words, *recipe(data, one)], **ONE)
    process = started([*words, *recipe(data, out)], **ONE)
    wait_for_work(process, out)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LATEST)
    if process.returncode == 0:
        pytest.skip("it was faster than the interrupt")
    processes = [started([*words, *recipe(data, out, *options)]) for options in together(port)]
    ends = [ended(each) for each in processes]
    assert [code for code, _ in ends] == [0, 0], ends
    check_same(out, one)


@pytest.mark.slow
@pytest.mark.parametrize("command", [["prune", "--method", "magnitude"], ["qat"]])
def test_two_devices_fine_tune_as_one_does(
    data: Path, tmp_path: Path, single: Path, command: list[str]
) -> None:
    """One step. After more of them not even one device comes to the same again when its sums have another
    order: a weight that is another by its last bit is pruned or not, or rounds to the next of 256 steps."""
    words = [command[0], str(single), *command[1:]]
    step = ["--epochs", "1", "--batch-size", str(WHOLE), "--warmup-epochs", "0"]
    run([*words, *recipe(data, tmp_path / "one.keras", *step)])
    run([*words, *recipe(data, tmp_path / "two.keras", *step, "--devices", "all")], **split(2))
    check_same_step(tmp_path / "two.keras", tmp_path / "one.keras", single)
    assert details(tmp_path / "two.keras")["devices"] == 2
