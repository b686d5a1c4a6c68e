"""Tests of data.fashion_mnist: where the files are looked for, and the bundled subsets."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.bundled import CALIBRATION_FILE, bundled
from resnet_edge.data import fashion_mnist, npz
from resnet_edge.data.load import load
from resnet_edge.workers.progress import Progress, silent

needs_debian = pytest.mark.skipif(
    not (fashion_mnist.DEBIAN / "train-images-idx3-ubyte.gz").is_file(),
    reason="apt-get install dataset-fashion-mnist",
)


def write_split(folder: Path, split: str, level: int, count: int = 3) -> Path:
    """A tiny data set in the format of the real one; all pixels are `level`."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = fashion_mnist.FILES[split]
    header = struct.pack(">BBBBIII", 0, 0, 8, 3, count, 28, 28)
    (folder / images).write_bytes(gzip.compress(header + bytes([level]) * (count * 28 * 28)))
    (folder / labels).write_bytes(
        gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 1, count) + bytes(range(count)))
    )
    return folder


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No cache, no Debian package, and an address where nobody answers."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "ADDRESS", "http://127.0.0.1:9/")
    return tmp_path


def test_the_places_are_tried_in_order(offline: Path) -> None:
    write_split(fashion_mnist.DEBIAN, "train", 2)
    assert fashion_mnist.load("train").images[0, 0, 0, 0] == 2
    write_split(fashion_mnist.keras_cache(), "train", 1)
    assert fashion_mnist.load("train").images[0, 0, 0, 0] == 1
    own = write_split(offline / "own", "train", 0)
    images = load(f"fashion-mnist:{own}", "train")
    assert images.images[0, 0, 0, 0] == 0
    assert images.images.shape == (3, 28, 28, 1)
    assert images.class_names == fashion_mnist.CLASS_NAMES
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 2]


def test_where_none_works_the_error_lists_all_four(offline: Path) -> None:
    reports: list[Progress] = []
    with pytest.raises(DataError) as caught:
        load("fashion-mnist", "train", on_progress=reports.append)
    message = str(caught.value)
    for place in [
        "--data fashion-mnist:FOLDER",
        str(offline / "keras" / "datasets" / "fashion-mnist"),
        str(offline / "debian"),
        "apt-get install dataset-fashion-mnist",
        "download from http://127.0.0.1:9/",
    ]:
        assert place in message
    assert reports[0].line
    assert reports[0].note.startswith("downloading http://127.0.0.1:9/train-images")


def test_a_download_is_told_on_stderr_where_nobody_listens(
    offline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError):
        load("fashion-mnist", "train")
    out, err = capsys.readouterr()
    assert out == ""
    assert "downloading http://127.0.0.1:9/" in err


def test_a_download_comes_into_the_cache_and_is_checked(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_split(offline / "server", "train", 5)
    monkeypatch.setattr(fashion_mnist, "ADDRESS", source.as_uri() + "/")
    with pytest.raises(DataError, match="is not the file that belongs to Fashion-MNIST"):
        fashion_mnist.fetch("train", fashion_mnist.keras_cache(), silent)
    assert list(fashion_mnist.keras_cache().iterdir()) == []
    digests = {
        name: hashlib.sha256(gzip.decompress((source / name).read_bytes())).hexdigest()
        for name in fashion_mnist.FILES["train"]
    }
    monkeypatch.setattr(fashion_mnist, "SHA256", digests)
    assert fashion_mnist.load("train", on_progress=silent).images[0, 0, 0, 0] == 5
    assert sorted(f.name for f in fashion_mnist.keras_cache().iterdir()) == sorted(
        fashion_mnist.FILES["train"]
    )


def test_a_named_folder_is_never_replaced_by_another_place(offline: Path) -> None:
    write_split(fashion_mnist.DEBIAN, "train", 2)
    write_split(offline / "own", "test", 2)
    with pytest.raises(DataError, match=r"own lacks train-images-idx3-ubyte\.gz and train-labels"):
        load(f"fashion-mnist:{offline / 'own'}", "train")


@pytest.mark.parametrize(
    "damage", ["cut", "not gzip", "flipped", "empty", "labels for images", "too short", "bomb"]
)
def test_a_damaged_file_is_named(offline: Path, damage: str) -> None:
    own = write_split(offline / "own", "train", 2)
    images, labels = (own / name for name in fashion_mnist.FILES["train"])
    content = images.read_bytes()
    images.write_bytes(
        {
            "cut": content[:-9],
            "not gzip": b"<html>moved</html>",
            "flipped": content[:14] + bytes([content[14] ^ 255]) + content[15:],
            "empty": b"",
            "labels for images": labels.read_bytes(),
            "too short": gzip.compress(gzip.decompress(content)[:-1]),
            "bomb": gzip.compress(gzip.decompress(content) + bytes(1 << 24)),
        }[damage]
    )
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged"):
        load(f"fashion-mnist:{own}", "train")


def test_labels_that_do_not_fit_the_images(offline: Path) -> None:
    own = write_split(offline / "own", "train", 2, count=3)
    other = write_split(offline / "other", "train", 2, count=4)
    name = fashion_mnist.FILES["train"][1]
    (own / name).write_bytes((other / name).read_bytes())
    with pytest.raises(DataError, match="holds 3 train images and 4 labels that do not fit"):
        load(f"fashion-mnist:{own}", "train")


def test_the_bundled_test_set_is_whole() -> None:
    images = load("fashion-mnist", "test", (28, 28, 1))
    assert images.labels is not None
    assert images.images.dtype == np.uint8
    assert np.bincount(images.labels).tolist() == [1000] * 10
    # The uncompressed IDX file is a header of 16 bytes and these very pixels.
    header = struct.pack(">BBBBIII", 0, 0, 8, 3, 10_000, 28, 28)
    digest = hashlib.sha256(header + images.images[:].tobytes()).hexdigest()
    assert digest == fashion_mnist.SHA256["t10k-images-idx3-ubyte.gz"]
    header = struct.pack(">BBBBI", 0, 0, 8, 1, 10_000)
    digest = hashlib.sha256(header + images.labels.astype(np.uint8).tobytes()).hexdigest()
    assert digest == fashion_mnist.SHA256["t10k-labels-idx1-ubyte.gz"]


def test_the_bundled_calibration_set_is_balanced_in_every_prefix() -> None:
    images = npz.load(bundled(CALIBRATION_FILE))
    assert images.images.shape == (1000, 28, 28, 1)
    assert images.labels is not None
    assert images.labels.reshape(100, 10).tolist() == [list(range(10))] * 100


@needs_debian
def test_the_bundled_files_are_what_debian_has() -> None:
    test, own = load(f"fashion-mnist:{fashion_mnist.DEBIAN}", "test"), load("fashion-mnist", "test")
    np.testing.assert_array_equal(test.images, own.images)
    train = load(f"fashion-mnist:{fashion_mnist.DEBIAN}", "train")
    with np.load(bundled(CALIBRATION_FILE)) as calibration:
        rows = calibration["rows"]
        assert len(np.unique(rows)) == 1000
        np.testing.assert_array_equal(train.images[rows], calibration["images"])
        assert train.labels is not None
        np.testing.assert_array_equal(train.labels[rows], calibration["labels"])


def test_a_look_reads_the_sizes_alone(tmp_path: Path) -> None:
    own = write_split(tmp_path / "own", "test", 2)
    images = own / fashion_mnist.FILES["test"][0]
    with images.open("r+b") as stream:
        stream.truncate(1 << 40)  # a hole behind the data
    assert fashion_mnist.look("test", own) == (3, 28, 28)


def test_sizes_that_no_file_of_its_length_holds(tmp_path: Path) -> None:
    own = write_split(tmp_path / "own", "test", 2)
    images = own / fashion_mnist.FILES["test"][0]
    images.write_bytes(gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 3, 10_000, 10_000)))
    for read in (fashion_mnist.look, fashion_mnist.load):
        with pytest.raises(DataError, match="it declares 300,000,000 bytes, and has"):
            read("test", own)
