"""Bad input to `resnet-edge convert`: one line that says how to fix it, and nothing is left."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import SIZE, Ended, Place, tinted_images

QUICK = ("--formats", "onnx", "--schemes", "fp32", "--latency-seconds", "0")


def check(ended: Ended, code: int, *parts: str) -> None:
    """One line, with `parts` in it, and no traceback."""
    assert ended.code == code, ended
    (line,) = ended.errors
    for part in parts:
        assert part in line
    assert "Traceback" not in ended.err + ended.out
    assert ended.err.splitlines()[-1] == line


@pytest.fixture
def clean(place: Place) -> Iterator[Place]:
    """A place in which nothing may be left."""
    yield place
    assert place.is_clean()
    assert not (place.here / "dist").exists()


# -- names and options: before any work -----------------------------------------------------


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--schemes", "int9"], ["int9", "choose from", "int8"]),
        (["--formats", "tflight"], ["tflight", "choose from", "tflite"]),
        (["--backends", "onnx"], ["onnx", "choose from", "onnxruntime"]),
        (["--preprocess", "vgg"], ["vgg", "choose from", "imagenet"]),
        (["--data", ""], ["--data '': give a name"]),
        (["--formats", ""], ["give at least one name"]),
        (["--calibrator", "median"], ["median", "minmax", "percentile", "mse", "entropy", "auto"]),
        (["--repair", "some"], ["some", "auto", "all", "none"]),
        (["--max-drop", "-1"], ["--max-drop"]),
        (["--max-drop", "nan"], ["--max-drop"]),
        (["--latency-seconds", "nan"], ["--latency-seconds"]),
        (["--threads", "0"], ["--threads"]),
        (["--input-shape", "1,2"], ["three numbers"]),
        (["--labels", "missing.txt"], ["missing.txt"]),
        (["--no-such-option"], ["--no-such-option"]),
        (["a", "b"], ["b"]),
    ],
    ids=" ".join,
)
def test_wrong_usage(clean: Place, words: list[str], parts: list[str]) -> None:
    ended = clean.run(*words)
    check(ended, 2, *parts)
    assert len(ended.err.splitlines()) == 1


def test_data_is_needed_for_a_model_of_the_users(clean: Place, given: Given) -> None:
    check(clean.run(str(given.model)), 2, "--data is missing")


@pytest.mark.parametrize("option", ["--data", "--calibration"])
@pytest.mark.parametrize("word", ["missing", "missing.npz", "file.txt"])
def test_data_that_is_none(clean: Place, option: str, word: str) -> None:
    (clean.here / "file.txt").write_text("no images")
    ended = clean.run(option, word)
    check(ended, 3, option, repr(word), "give fashion-mnist")
    assert len(ended.err.splitlines()) == 1, "before any work"


def test_with_json_an_error_is_one_document_too(clean: Place) -> None:
    for words, code in ((["--data", "missing"], 3), (["--schemes", "int9"], 2)):
        ended = clean.run("--json", *words)
        check(ended, code)
        assert json.loads(ended.out) == {"error": ended.errors[0].removeprefix("error: "), "exit_code": code}


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["--io", "uint8"], 2, "--io uint8 is for int8 artifacts"),
        (
            ["--formats", "tflite", "--backends", "onnxruntime"],
            2,
            "none of --backends onnxruntime opens tflite",
        ),
        (["--formats", "onnx", "--schemes", "int16x8"], 3, "int16x8"),
        (["--backends", "litert:npu"], 2, "no device 'npu'"),
    ],
)
def test_what_the_plan_refuses(clean: Place, words: list[str], code: int, part: str) -> None:
    check(clean.run(*words), code, part)


def test_a_device_that_is_not_there(clean: Place) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine may have the device")
    check(clean.run("--formats", "onnx", "--backends", "onnxruntime:cuda"), 3, "CUDAExecutionProvider")


# -- the output folder -----------------------------------------------------------------------


def test_an_output_folder_that_exists(place: Place) -> None:
    (place.here / "dist").mkdir()
    check(place.run(), 3, "--out dist exists and is a folder")


@pytest.mark.parametrize("out", ["", ".", "..", "/", "here/.."])
def test_an_output_without_a_name(clean: Place, out: str) -> None:
    for more in ((), ("--overwrite",)):
        ended = clean.run("--out", out, *more)
        check(ended, 2, "gives the new folder no name")
        assert len(ended.err.splitlines()) == 1, "before any work"


def test_home_and_folders_of_others_are_never_replaced(clean: Place) -> None:
    home = clean.here / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("ten years")
    check(clean.run("--out", str(home)), 3, "exists and is a folder: give --overwrite")
    ended = clean.run("--out", str(home), "--overwrite")
    check(ended, 3, "holds thesis.txt, which `resnet-edge convert` did not write")
    assert len(ended.err.splitlines()) == 1, "before any work"
    assert [entry.name for entry in home.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_an_output_that_holds_what_is_read(clean: Place, given: Given, more: tuple[str, ...]) -> None:
    words = (str(given.model), "--data", str(given.data), "--out", str(given.data.parent))
    check(clean.run(*words, *more), 2, "would take the place of", "tiny.keras, which is read")
    assert given.data.exists()


@pytest.mark.parametrize("kind", ["a file", "a dangling link"])
def test_an_output_that_is_no_folder(place: Place, kind: str) -> None:
    target = place.here / "dist"
    target.write_text("") if kind == "a file" else target.symlink_to("nowhere")
    check(place.run(), 3, "--out dist exists and is a file")


def test_an_output_below_a_file(clean: Place) -> None:
    (clean.here / "file").write_text("")
    check(clean.run("--out", "file/dist"), 3, "is below file, which is a file")


def test_an_output_in_a_folder_that_is_missing(clean: Place) -> None:
    check(clean.run("--out", "missing/dist"), 3, "does not exist: make it first")


def test_an_output_name_that_no_file_can_have(clean: Place) -> None:
    check(clean.run("--out", "x" * 300), 2, "--out", "give a shorter name")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_that_is_not_writable(place: Place) -> None:
    (place.here / "locked").mkdir(mode=0o500)
    check(place.run("--out", "locked/dist"), 3, "not writable")


@pytest.mark.parametrize("name", ["dist.partial", "dist.logs"])
def test_what_is_not_ours_is_not_replaced(clean: Place, name: str) -> None:
    (clean.here / name).mkdir()
    (clean.here / name / "thesis.txt").write_text("ten years")
    check(clean.run(), 3, name, "is in the way")
    assert (clean.here / name / "thesis.txt").read_text() == "ten years"


# -- the model -------------------------------------------------------------------------------


def truncated(path: Path, model: bytes) -> None:
    path.write_bytes(model[: len(model) // 2])


def empty(path: Path, model: bytes) -> None:
    path.write_bytes(b"")


def random(path: Path, model: bytes) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def another_zip(path: Path, model: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")


def with_lambda(path: Path, model: bytes) -> None:
    """What keras writes for Lambda(lambda x: x): marshalled byte code."""
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json":
                content = content.replace(b'"class_name": "Rescaling"', b'"class_name": "Lambda"')
            new.writestr(member, content)


@pytest.mark.parametrize("spoil", [truncated, empty, random, another_zip, with_lambda])
def test_a_model_file_that_is_none(clean: Place, given: Given, spoil: Callable[[Path, bytes], None]) -> None:
    spoil(clean.here / "bad.keras", given.model.read_bytes())
    ended = clean.run("bad.keras", "--data", str(given.data), *QUICK)
    check(ended, 3, "bad.keras")
    assert len(ended.err.splitlines()) == 1, "before any work"


@pytest.mark.parametrize("name", ["renamed.h5", "renamed.bin", "renamed.onnx"])
def test_a_renamed_model_file(clean: Place, given: Given, name: str) -> None:
    (clean.here / name).write_bytes(given.model.read_bytes())
    check(clean.run(name, "--data", str(given.data), *QUICK), 3, name)


FACTORIES = """
import keras

def regressor():
    return keras.Sequential([keras.Input((12, 12, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])

def diverged():
    model = keras.Sequential([keras.Input((12, 12, 3)), keras.layers.Flatten(), keras.layers.Dense(4)])
    model.layers[-1].kernel.assign(model.layers[-1].kernel * float("nan"))
    return model
"""


@pytest.mark.parametrize(
    ("factory", "part"), [("regressor", "has 2 classes"), ("diverged", "NaN or infinity")]
)
def test_a_model_that_cannot_be_proved(clean: Place, given: Given, factory: str, part: str) -> None:
    (clean.here / "nets.py").write_text(FACTORIES)
    check(clean.run(f"nets:{factory}", "--data", str(given.data), "--preprocess", "unit", *QUICK), 3, part)


# -- the data, seen with the model -----------------------------------------------------------


def grey(folder: Path) -> None:
    np.savez(folder / "bad.npz", images=np.zeros((9, SIZE, SIZE, 1), np.uint8))


def label_out_of_range(folder: Path) -> None:
    np.savez(folder / "bad.npz", images=tinted_images(9, 0)[0], labels=np.arange(9))


def floats_in_0_to_1(folder: Path) -> None:
    np.savez(folder / "bad.npz", images=tinted_images(9, 0)[0].astype(np.float32) / 255)


@pytest.mark.parametrize(
    ("write", "part"),
    [
        (grey, "12x12x1 images, and the model takes 12x12x3"),
        (label_out_of_range, "label 8 at image 8, and the model has 4 classes"),
        (floats_in_0_to_1, "give raw pixels"),
    ],
)
def test_data_that_does_not_fit_the_model(
    clean: Place, given: Given, write: Callable[[Path], None], part: str
) -> None:
    write(clean.here)
    check(clean.run(str(given.model), "--data", "bad.npz", *QUICK), 3, "bad.npz", part)


def test_labels_of_another_length(clean: Place, given: Given) -> None:
    (clean.here / "labels.txt").write_text("één\ntwo\ntwo\n", encoding="utf-8")
    words = (str(given.model), "--data", str(given.data), "--labels", "labels.txt", *QUICK)
    check(clean.run(*words), 3, "--labels names 3 classes", "has 4")


# -- the disk --------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a disk of the size asked for."""
    point = tmp_path / "disk"

    def mount(size: str) -> Path:
        point.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(point)]
        if not sys.platform.startswith("linux") or subprocess.run(words, capture_output=True).returncode:
            pytest.skip("mounting a small disk takes Linux and root")
        return point

    yield mount
    subprocess.run(["umount", str(point)], capture_output=True)


@pytest.mark.parametrize(
    "size", ["4m", pytest.param("10200k", marks=pytest.mark.slow)], ids=["images", "outputs"]
)
def test_a_full_scratch_disk(clean: Place, small_disk: Callable[[str], Path], size: str) -> None:
    """10,000 images take 7.8 MB, and the outputs of each artifact 0.4 MB, memory-mapped."""
    disk = small_disk(size)
    ended = clean.run(*QUICK, environment={"TMPDIR": str(disk)})
    check(ended, 3, f"no space left on the disk of {disk}", "TMPDIR")
    assert [*disk.iterdir()] == []
    assert [*clean.here.iterdir()] == []


def test_a_full_output_disk(clean: Place, small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("600k")
    ended = clean.run(*QUICK, "--out", str(disk / "dist"))
    check(ended, 3, "no space left", "--out")
    assert [*disk.iterdir()] == []


def test_a_full_stdout(place: Place) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "resnet_edge", "convert", "--schemes", "int9", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=place.here,
        )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
