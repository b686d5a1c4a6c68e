"""Tests of data.headers, in this process; tests/data/test_declared.py asks it in a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from resnet_edge.core.errors import DataError
from resnet_edge.core.machine import available_memory
from resnet_edge.data.headers import look
from resnet_edge.data.headers_task import ReadHeaders
from resnet_edge.workers.progress import silent
from tests.data.headers import png_of
from tests.data.photos import save
from tests.data.shards.writing import photos, samples, write_tar


def count_of(*data: Path, **how: Any) -> int:
    return look(ReadHeaders(data=tuple(map(str, data)), **how), silent).files


def archive(path: Path, **arrays: Any) -> Path:
    np.savez(path, **{"images": np.zeros((4, 5, 6, 3), np.uint8), **arrays})
    return path


def test_every_photo_counts_and_an_archive_is_one_file(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        save(tmp_path / "photos" / name)
    assert count_of(tmp_path / "photos", archive(tmp_path / "d.npz")) == 4
    assert count_of() == 0


def test_photos_of_several_sizes_are_told_only_where_they_decide_the_network(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    save(tmp_path / "2.png", np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(DataError, match=r"1\.png has 8x8 pixels and .*2\.png 9x8: .*--input-shape H,W,C"):
        count_of(tmp_path, fresh=True)
    assert count_of(tmp_path, fresh=True, input_shape=(8, 8, 3)) == 2
    assert count_of(tmp_path, fresh=False) == 2


def test_what_all_images_have_is_told_as_they_are_decoded(tmp_path: Path) -> None:
    """Upright: a photo that lies on its side has other sides than its header."""

    def shape_of(data: Path) -> Any:
        return look(ReadHeaders(data=(str(data),)), silent).shapes[str(data)]

    assert shape_of(archive(tmp_path / "d.npz")) == (5, 6, 3)
    photos = tmp_path / "photos"
    save(photos / "1.png", np.zeros((6, 9, 3), np.uint8))
    save(photos / "2.png", np.zeros((6, 9, 3), np.uint8))
    assert shape_of(photos) == (6, 9, 3)
    save(photos / "3.png", np.zeros((6, 9), np.uint8))
    assert shape_of(photos) == (6, 9, None)
    (photos / "3.png").unlink()
    lying = Image.Exif()
    lying[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (9, 6)).save(photos / "3.jpg", exif=lying)
    assert shape_of(photos) == (None, None, 3)
    Image.new("RGB", (6, 9)).save(photos / "3.jpg", exif=lying)
    assert shape_of(photos) == (6, 9, 3)


def test_images_that_no_memory_holds_are_told_by_their_header(tmp_path: Path) -> None:
    for number in range(20):
        png_of(tmp_path / f"{number}.png", 9_000, 9_000)
    free = available_memory()
    assert free is not None
    shape = (9_000, 9_000, 1 + free // (4 * 9_000 * 9_000))
    with pytest.raises(DataError, match=r"batches of 1 images of 9,000x9,000 pixels .* --input-shape"):
        count_of(tmp_path, fresh=True, input_shape=shape, batch_size=1)
    assert count_of(tmp_path, fresh=True, input_shape=(8, 8, 3), batch_size=1) == 20


def test_a_batch_is_of_floats(tmp_path: Path) -> None:
    """Four bytes for each value, where the images themselves are bytes: all four in one batch."""
    free = available_memory()
    assert free is not None
    shape = (1, free // 12, 1)  # four fit as bytes a third over, and as floats they are more than all
    with pytest.raises(DataError, match="batches of 4 images of"):
        count_of(archive(tmp_path / "d.npz"), fresh=True, input_shape=shape, batch_size=128)


def test_the_first_thing_that_is_wrong_is_told(tmp_path: Path) -> None:
    good, bad = archive(tmp_path / "good.npz"), archive(tmp_path / "bad.npz", labels=[0, 1])
    with pytest.raises(DataError, match=r"bad\.npz"):
        count_of(good, bad, train=True)


def test_shards_are_told_by_their_begin_and_have_any_size(tmp_path: Path) -> None:
    write_tar(tmp_path / "s-0.tar", samples(photos(2)))
    write_tar(tmp_path / "s-1.tar", samples(photos(2)))
    headers = look(ReadHeaders(data=(str(tmp_path),)), silent)
    assert (headers.files, headers.shapes) == (2, {str(tmp_path): (None, None, None)})
    assert count_of(tmp_path, fresh=True, input_shape=(8, 8, 3)) == 2
    with pytest.raises(
        DataError, match="holds photos of any size: say what the network is to take with --input"
    ):
        count_of(tmp_path, fresh=True)
