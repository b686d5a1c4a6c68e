"""Photos that are decoded when they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data import folder
from resnet_edge.data.encoded import EncodedImages, picked
from resnet_edge.data.photo import LARGEST
from tests.data.photos import noise, save


@pytest.fixture
def images(tmp_path: Path) -> EncodedImages:
    for seed in range(5):
        save(tmp_path / "photos" / f"{seed}.png", noise(9, 11, seed))
    loaded = folder.load(tmp_path / "photos", (8, 10, 3)).images
    assert isinstance(loaded, EncodedImages)
    return loaded


def test_rows_are_those_of_an_array(images: EncodedImages) -> None:
    whole = images[:]
    assert (whole.shape, whole.dtype, len(images), images.size) == (images.shape, images.dtype, 5, whole.size)
    for rows in (
        2,
        -1,
        slice(1, 4),
        slice(None, None, 2),
        [3, 0],
        np.array([True, False, True, False, False]),
    ):
        np.testing.assert_array_equal(images[rows], whole[rows])
    mask = np.array([True, False, True, False, True])
    np.testing.assert_array_equal(picked(images, mask)[:], picked(whole, mask))
    with pytest.raises(IndexError):
        images[5]


def test_threads_change_nothing(images: EncodedImages) -> None:
    whole = images[:]
    images.threads = 3
    np.testing.assert_array_equal(images[:], whole)


def test_what_is_saved_is_opened_and_holds_to_its_hashes(images: EncodedImages, tmp_path: Path) -> None:
    images[:2]
    images.rows(np.array([1, 0, 4])).save(tmp_path / "some.photos")
    again = EncodedImages.open(tmp_path / "some.photos")
    np.testing.assert_array_equal(again[:2], images[[1, 0]])
    for name in ("1.png", "4.png"):
        save(tmp_path / "photos" / name, noise(9, 11, 77))
    with pytest.raises(DataError, match=r"1\.png has changed while it was in use: run again"):
        EncodedImages.open(tmp_path / "some.photos")[0]
    again = EncodedImages.open(tmp_path / "some.photos")
    (tmp_path / "photos" / "4.png").unlink()
    with pytest.raises(DataError, match=r"4\.png cannot be read"):
        again[2]


def test_they_are_never_one_array(images: EncodedImages) -> None:
    with pytest.raises(TypeError, match="never one array"):
        np.asarray(images)


def test_a_file_that_is_larger_than_a_photo(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(LARGEST + 1)
    images = folder.load(tmp_path, (8, 8, 3)).images
    with pytest.raises(DataError, match="more than a photo"):
        images[0]


def test_what_is_kept_is_not_decoded_again(images: EncodedImages, tmp_path: Path) -> None:
    """As far as there is room; the others are decoded, and held to their hashes."""
    whole = images[:]
    images.keep(tmp_path, most=3 * whole[0].nbytes)
    some = images.rows(np.array([4, 1, 0]))
    images.threads = 3
    np.testing.assert_array_equal(images[[0, 1, 2]], whole[:3])
    some.save(tmp_path / "some.photos")
    for seed in range(5):
        save(tmp_path / "photos" / f"{seed}.png", noise(9, 11, 77))
    for held in (some, EncodedImages.open(tmp_path / "some.photos")):
        np.testing.assert_array_equal(held[1:], whole[[1, 0]])
        with pytest.raises(DataError, match=r"4\.png has changed while it was in use: run again"):
            held[0]
    (kept,) = tmp_path.glob("*.pixels")
    assert kept.stat().st_size == 3 * whole[0].nbytes


def test_rows_of_rows_know_what_all_know(images: EncodedImages, tmp_path: Path) -> None:
    """Trainings choose theirs before all are hashed."""
    chosen = images.rows(np.array([3, 2])).rows(slice(1, None))
    images[:]
    save(tmp_path / "photos" / "2.png", noise(9, 11, 77))
    with pytest.raises(DataError, match=r"2\.png has changed"):
        chosen[0]
