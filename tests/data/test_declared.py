"""Tests of data.declared: photos that ask for too much are refused before a model is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import DataError
from resnet_edge.data.declared import check_data, check_training_data, data_sha256
from tests.data.headers import png_of


def photos(folder: Path) -> Path:
    for name in ("a/1.png", "b/2.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7)).save(folder / name)
    return folder


def test_ordinary_photos_pass(tmp_path: Path) -> None:
    (photos(tmp_path) / "a/notes.txt").write_text("no photo")
    check_data(str(tmp_path), None, "fashion-mnist", str(tmp_path))


@pytest.mark.parametrize(("width", "height"), [(46_000, 46_000), (12_000, 10_000), (2**31 - 1, 2**31 - 1)])
def test_a_photo_is_refused_by_its_header(tmp_path: Path, width: int, height: int) -> None:
    large = png_of(photos(tmp_path) / "b/9.png", width, height)
    with pytest.raises(DataError) as caught:
        check_data("fashion-mnist", str(tmp_path))
    words = str(caught.value)
    assert words.startswith(f"{large} has ")
    assert words.endswith("pixels, and 100,000,000 are the most: make it smaller, or remove it")


def test_what_is_no_photo_is_refused(tmp_path: Path) -> None:
    (photos(tmp_path) / "a/0.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    with pytest.raises(DataError, match=r"0\.png does not decode as an image .*: fix or remove it"):
        check_data(str(tmp_path))


def test_a_header_without_end_is_given_up(tmp_path: Path) -> None:
    """Between the segments of a JPEG there may be anything."""
    with (photos(tmp_path) / "a/0.jpg").open("wb") as stream:
        stream.write(b"\xff\xd8\xff\xe0")
        stream.truncate(4 << 30)
    with pytest.raises(DataError, match=r"0\.jpg has no end to its header: .*; fix or remove it"):
        check_data(str(tmp_path))


COMMANDS = {
    "convert": ("convert", "resnet20", "--data", "photos", "--out", "out"),
    "calibration": ("convert", "resnet20", "--data", "few", "--calibration", "photos", "--out", "out"),
    "verify": ("verify", "a.tflite", "--reference", "resnet20", "--data", "photos"),
    "train": ("train", "--arch", "resnet20", "--data", "photos", "--out", "o.keras"),
    "qat": ("qat", "resnet20", "--data", "photos", "--out", "o.keras"),
    "magnitude": ("prune", "resnet20", "--method", "magnitude", "--amount", "0.5", "--data", "photos"),
    "channel": ("prune", "resnet20", "--method", "channel", "--amount", "0.5", "--data", "photos"),
}


WEIGHED = (
    "import resource, subprocess, sys\n"
    "done = subprocess.run(sys.argv[1:])\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "sys.exit(done.returncode)"
)
"""Runs a command and prints its peak, from a process that is small: a peak begins with that of the parent."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_refuses_it_for_little(tmp_path: Path, name: str) -> None:
    """With a model, so that what came first would be seen by its cost: a framework takes 300 MB and more."""
    if sys.platform != "linux":
        pytest.skip("the peak of a process counts its parent's here")
    photos(tmp_path / "few")
    png_of(photos(tmp_path / "photos") / "b/9.png", 46_000, 46_000)
    (tmp_path / "a.tflite").write_bytes(b"")
    words = [*COMMANDS[name], *(("--out", "o.keras") if "prune" in COMMANDS[name] else ())]
    command = [sys.executable, "-m", "resnet_edge", *words, "--quiet"]
    run = subprocess.run(
        [sys.executable, "-c", WEIGHED, *command], cwd=tmp_path, capture_output=True, text=True
    )
    assert (run.returncode, len(run.stderr.splitlines())) == (3, 1), run.stderr
    assert run.stderr.startswith("error: photos/b/9.png has 2,116,000,000 pixels")
    assert int(run.stdout) * 1024 < PROMISE / 2
    assert not any((tmp_path / name).exists() for name in ("out", "o.keras", "o.keras.checkpoint"))


def test_photos_of_several_sizes_say_nothing_about_a_new_network(tmp_path: Path) -> None:
    Image.new("RGB", (9, 8)).save(photos(tmp_path) / "b/3.png")
    with pytest.raises(DataError, match=r"a/1\.png has 9x7 pixels and .*3\.png 9x8: .* --input-shape H,W,C"):
        check_training_data(str(tmp_path), 128, None, fresh=True)
    check_training_data(str(tmp_path), 128, (7, 9, 3), fresh=True)
    check_training_data(str(tmp_path), 128, None, fresh=False)


def test_a_batch_that_no_memory_holds(tmp_path: Path) -> None:
    photos(tmp_path)
    with pytest.raises(DataError, match=r"batches of 2 images of 1,000,000x1,000,000 pixels from .* --input"):
        check_training_data(str(tmp_path), 128, (1_000_000, 1_000_000, 3), fresh=True)


def test_wrong_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", images=np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(DataError, match=r"'images' in .* has shape \(3, 4, 4\)"):
        check_data(str(tmp_path / "d.npz"))


def test_what_data_is_known_by(tmp_path: Path) -> None:
    """Its content and the names in it, and not where it is."""
    one, same, other = photos(tmp_path / "one"), photos(tmp_path / "same"), photos(tmp_path / "other")
    (other / "a/1.png").write_bytes(b"another")
    known = [data_sha256(str(folder)) for folder in (one, same, other)]
    assert known[0] == known[1] != known[2]
    (other / "a/1.png").rename(other / "b/1.png")
    assert data_sha256(str(other)) != known[2]
    for name, content in (("s-0.tar", b"0"), ("s-1.tar", b"1")):
        (tmp_path / name).write_bytes(content)
    assert data_sha256(f"{tmp_path}/s-{{0..1}}.tar") == data_sha256(f"{tmp_path}/s-*.tar")
    assert data_sha256(f"{tmp_path}/s-*.tar") != data_sha256(f"{tmp_path}/s-0.tar")
    assert data_sha256("fashion-mnist") != data_sha256(f"fashion-mnist:{one}")
