"""Tests of data.npz and of `load` on files."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resnet_edge.core.errors import DataError
from resnet_edge.data import npz
from resnet_edge.data.load import load

IMAGES = np.arange(4 * 6 * 6 * 3, dtype=np.uint8).reshape(4, 6, 6, 3)


def write(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez_compressed(path, **arrays)
    return path


def test_images_labels_and_names_come_back(tmp_path: Path) -> None:
    path = write(
        tmp_path, images=IMAGES, labels=np.array([0, 1, 1, 2], np.uint8), class_names=["a", "b", "ü"]
    )
    images = load(str(path), "train", (6, 6, 3))
    np.testing.assert_array_equal(images.images, IMAGES)
    assert images.images.dtype == np.uint8
    assert images.labels is not None
    assert images.labels.dtype == np.int64
    assert images.labels.tolist() == [0, 1, 1, 2]
    assert (images.class_names, images.source, len(images)) == (("a", "b", "ü"), "data.npz", 4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_become_float32(tmp_path: Path, dtype: type) -> None:
    images = npz.load(write(tmp_path, images=IMAGES.astype(dtype)))
    assert images.images.dtype == np.float32
    np.testing.assert_array_equal(images.images, IMAGES)
    assert images.labels is None


def test_labels_in_a_column_and_names_as_bytes_are_fine(tmp_path: Path) -> None:
    images = npz.load(
        write(tmp_path, images=IMAGES, labels=[[0], [1], [0], [1]], class_names=[b"cat", b"dog"])
    )
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 0, 1]
    assert images.class_names == ("cat", "dog")


def spoilt(value: float, dtype: type = np.float32) -> np.ndarray:
    images: np.ndarray = IMAGES.astype(dtype)
    images[2, 1, 1, 1] = value
    return images


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": [1]}, "no array 'images'; it holds: labels"),
        ({}, "no array 'images'; it holds: nothing"),
        ({"images": IMAGES[0]}, r"shape \(6, 6, 3\); it must be \(N,H,W,C\)"),
        ({"images": IMAGES.astype(np.int32)}, "is int32; it must be uint8 or float32"),
        ({"images": spoilt(np.nan)}, "NaN or Inf in 1 images, the first at 2"),
        ({"images": spoilt(-np.inf)}, "NaN or Inf in 1 images, the first at 2"),
        ({"images": spoilt(1e300, np.float64)}, "NaN or Inf in 1 images, the first at 2"),
        ({"images": IMAGES, "labels": [0, 1]}, "it must be 4 integers"),
        ({"images": IMAGES, "labels": [0.0, 1, 1, 0]}, "it must be 4 integers"),
        ({"images": IMAGES, "labels": np.eye(4, dtype=float)}, "several labels per image are integers"),
        ({"images": IMAGES, "labels": [0, 1, -1, 0]}, "the negative class -1 at image 2"),
        (
            {"images": IMAGES, "labels": [0, 1, 2, 0], "class_names": ["a", "b"]},
            "class 2 at 2, and only 2 class",
        ),
        ({"images": IMAGES, "class_names": [1, 2]}, "'class_names' .* must be strings"),
        ({"images": IMAGES[:0]}, "holds no image"),
        ({"images": IMAGES[:, :0]}, "holds no image"),
        ({"images": np.array([None, {}], dtype=object)}, "cannot be read as .npz .*objects of Python"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_does_not_fit_is_told(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = write(tmp_path, **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load(str(path), "test")
    assert "data.npz" in str(caught.value)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    (tmp_path / "data.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match="cannot be read"):
        load(str(tmp_path / "data.npz"), "test")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_with_a_scratch_folder_images_are_mapped(tmp_path: Path, dtype: type) -> None:
    path = write(tmp_path, images=IMAGES.astype(dtype))
    images = load(str(path), "test", scratch=tmp_path)
    assert isinstance(images.images, np.memmap)
    np.testing.assert_array_equal(images.images, npz.load(path).images)


def test_a_bad_image_is_found_in_any_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "BLOCK", 1)
    images = IMAGES.astype(np.float32)
    images[2, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="1 images, the first at 2"):
        load(str(write(tmp_path, images=images)), "test", scratch=tmp_path)


def test_an_npy_renamed_is_told_from_an_archive(tmp_path: Path) -> None:
    with (tmp_path / "data.npz").open("wb") as stream:
        np.save(stream, IMAGES)
    with pytest.raises(DataError, match="it is no archive of arrays"):
        load(str(tmp_path / "data.npz"), "test")


def test_images_of_another_size_than_the_model_takes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds 6x6x3 images, and the model takes 28x28x1"):
        load(str(write(tmp_path, images=IMAGES)), "test", (28, 28, 1))


def test_every_truncation_is_told(tmp_path: Path) -> None:
    content = write(tmp_path, images=IMAGES, labels=[0, 1, 2, 3]).read_bytes()
    for length in range(0, len(content), 7):
        (tmp_path / "cut.npz").write_bytes(content[:length])
        with pytest.raises(DataError, match=r"cut\.npz cannot be read"):
            load(str(tmp_path / "cut.npz"), "test")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_random_bytes_never_give_another_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "random.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"random\.npz"):
        load(str(tmp_path / "random.npz"), "test")


@pytest.mark.filterwarnings("ignore")  # zipfile warns of doubled names in some damaged files
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_archive_loads_or_is_told(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(write(tmp_path, images=IMAGES, labels=[0, 1, 2, 3]).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (tmp_path / "damaged.npz").write_bytes(content)
    try:
        assert len(load(str(tmp_path / "damaged.npz"), "test")) == 4
    except DataError as error:
        message = str(error)
    else:
        return
    assert "damaged.npz" in message


def test_only_what_was_checked_is_read(tmp_path: Path) -> None:
    """numpy.load also finds a member by its bare name, which no check has seen."""
    path = write(tmp_path, images=IMAGES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels", b"no array")
    assert npz.load(path).labels is None


def test_a_look_unpacks_no_image(tmp_path: Path) -> None:
    """The last byte of the images is wrong, which reading them tells by their CRC."""
    path = tmp_path / "data.npz"
    images = np.random.default_rng(0).integers(0, 255, (4, 300, 300, 3)).astype(np.uint8)
    np.savez(path, images=images, labels=[0, 1, 1, 2])
    content = path.read_bytes()
    path.write_bytes(content.replace(images.tobytes(), images.tobytes()[:-1] + b"!"))
    assert npz.look(path) == images.shape
    with pytest.raises(DataError, match="CRC"):
        npz.load(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES[0]}, r"shape \(6, 6, 3\)"),
        ({"images": IMAGES, "labels": np.full(4, 2**64 - 1, np.uint64)}, "has class 18446744073709551615"),
        ({"images": IMAGES, "labels": [0, 1, -1, 0]}, "negative class -1"),
        ({"images": IMAGES, "labels": [0, 1, 4, 0]}, "has class 4 at image 2, and 4 images in all"),
        ({"images": IMAGES[:0]}, "holds no image"),
    ],
)
def test_a_look_tells_what_is_wrong(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        npz.look(write(tmp_path, **arrays), fresh=True)


def test_more_images_declared_than_there_are(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    content = io.BytesIO()
    np.save(content, IMAGES)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", content.getvalue()[:-1])
    with pytest.raises(DataError, match=r"declares uint8 \(4, 6, 6, 3\), and there are \d+ bytes"):
        npz.look(path)


def test_images_that_the_model_cannot_take_are_not_unpacked(tmp_path: Path) -> None:
    """Zeros are a thousand times as large as they are packed; that these are not read shows in their sum."""
    path = tmp_path / "data.npz"
    np.savez(path, images=np.zeros((4, 60, 60, 3), np.uint8))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] = 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="60x60x3 images, and the model takes 9x9x3: resize them first"):
        load(str(path), "train", (9, 9, 3))
    with pytest.raises(DataError, match="CRC"):
        load(str(path), "train", (60, 60, 3))


def test_several_labels_per_image_are_zeros_and_ones(tmp_path: Path) -> None:
    images = np.zeros((3, 4, 4, 1), np.uint8)
    for dtype in (np.int64, np.uint8, bool):
        np.savez(tmp_path / "a.npz", images=images, labels=np.eye(3, 2).astype(dtype), class_names=["a", "b"])
        labels = npz.load(tmp_path / "a.npz").labels
        assert labels is not None
        assert labels.dtype == np.int64
        assert labels.tolist() == [[1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("labels", "names", "says"),
    [
        ([[0, 1], [2, 0], [0, 0]], None, "has 2 at image 1, label 0; .* are 0 and 1"),
        ([[0, 1], [-1, 0], [0, 0]], None, "has -1 at image 1, label 0"),
        ([[0.0, 1.0]] * 3, None, "several labels per image are integers"),
        ([[0, 1]] * 3, ["a", "b", "c"], "has 2 labels per image, and 'class_names' 3"),
        ([[0, 1]] * 2, None, r"or \(3, labels\) of 0 and 1"),
    ],
)
def test_several_labels_that_are_none_are_refused(
    tmp_path: Path, labels: list[list[float]], names: list[str] | None, says: str
) -> None:
    more: dict[str, Any] = {} if names is None else {"class_names": names}
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 4, 4, 1), np.uint8), labels=labels, **more)
    with pytest.raises(DataError, match=says):
        npz.load(tmp_path / "a.npz")
