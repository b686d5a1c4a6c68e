"""Decoded photos that are kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.kept_rows import NOT_KEPT, KeptRows


def rows(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 5, 7, 3)).astype(np.uint8)


def test_as_many_as_there_is_room_for(tmp_path: Path) -> None:
    images = rows(20)
    kept = KeptRows.new(tmp_path, images[0].nbytes, most=10 * images[0].nbytes + 1)
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(kept.add, images))
    assert sorted(numbers) == [*[NOT_KEPT] * 10, *range(10)]
    assert kept.path.stat().st_size == 10 * images[0].nbytes
    out = np.empty_like(images[0])
    for image, number in zip(images, numbers, strict=True):
        if number != NOT_KEPT:
            KeptRows(kept.path, images[0].nbytes).read(number, out)
            np.testing.assert_array_equal(out, image)


def test_a_file_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    kept = KeptRows(tmp_path, 105, most=1000)  # a folder
    assert [kept.add(image) for image in rows(2)] == [NOT_KEPT, NOT_KEPT]


def test_a_file_that_was_cut_off_or_is_gone(tmp_path: Path) -> None:
    (image,) = rows(1)
    kept = KeptRows.new(tmp_path, image.nbytes)
    number, out = kept.add(image), np.empty_like(image)
    with kept.path.open("r+b") as file:
        file.truncate(50)
    with pytest.raises(DataError, match="was cut off while it was in use: run again"):
        kept.read(number, out)
    kept.path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        kept.read(number, out)
