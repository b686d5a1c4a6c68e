"""Images from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.encoded import EncodedImages
from resnet_edge.data.image_file import open_images


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 3), np.uint8), "images are uint8 or float32"),
        (np.zeros((2, 3, 3, 1), np.int64), "images are uint8 or float32"),
        (np.zeros((0, 3, 3, 1), np.uint8), "holds no image"),
    ],
)
def test_what_is_no_images(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=message):
        open_images(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.photos"])
def test_what_cannot_be_read(tmp_path: Path, name: str) -> None:
    for content in (None, b"neither"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} cannot be read as images"):
            open_images(tmp_path / name)


def test_arrays_stay_on_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 3, 1), np.float32))
    images = open_images(tmp_path / "a.npy")
    assert isinstance(images, np.memmap)
    assert not isinstance(images, EncodedImages)
