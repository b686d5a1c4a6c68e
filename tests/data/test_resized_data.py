"""Arrays at another size: the same pictures in the same order, as photos of them would be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.data import blocks
from resnet_edge.data.folder import decode
from resnet_edge.data.images import prepare
from resnet_edge.data.images_task import PrepareImages
from resnet_edge.data.load import load
from resnet_edge.data.resized_data import resize_data
from resnet_edge.data.resized_data_task import ResizeData
from resnet_edge.workers.progress import silent


def _pixels(channels: int, count: int = 12) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 10, 14, channels), np.uint8)


def _resized(tmp_path: Path, shape: tuple[int, int, int], **arrays: Any) -> str:
    np.savez(tmp_path / "data.npz", **arrays)
    out = str(tmp_path / "resized.npz")
    reply = resize_data(
        ResizeData(data=str(tmp_path / "data.npz"), split="test", shape=shape, out=out), silent
    )
    assert reply.file == out
    return out


@pytest.mark.parametrize("channels", [1, 3])
def test_an_array_gets_the_resize_that_its_photo_gets(
    tmp_path: Path, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 2000)  # several blocks, the last one short
    images = _pixels(channels)
    out = _resized(tmp_path, (7, 20, channels), images=images, labels=np.arange(12) % 3)
    ours = load(out, "test", (7, 20, channels))
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0] if channels == 1 else image).save(tmp_path / "photo.png")
        photo = decode(tmp_path / "photo.png", 7, 20, channels)
        np.testing.assert_array_equal(ours.images[number], photo)
    assert ours.labels is not None
    assert ours.labels.tolist() == (np.arange(12) % 3).tolist()


def test_floats_go_through_the_same_filter_and_are_not_rounded(tmp_path: Path) -> None:
    images = _pixels(3).astype(np.float32)
    ours = load(_resized(tmp_path, (5, 7, 3), images=images / 255 - 0.5), "test").images
    bytes_ = load(_resized(tmp_path, (5, 7, 3), images=images.astype(np.uint8)), "test").images
    assert ours.dtype == np.float32
    levels = (np.asarray(ours[:], np.float32) + 0.5) * 255
    assert np.abs(levels - np.asarray(bytes_[:])).max() <= 1.01  # bytes are rounded after each direction


def test_image_i_is_the_same_picture_at_every_size(tmp_path: Path) -> None:
    """In the seeded order too, and with the same images held out."""
    shades = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    labels = np.arange(40) % 4
    names = np.array(["a", "b", "c", "d"])
    other = _resized(tmp_path, (5, 11, 1), images=shades, labels=labels, class_names=names)
    wanted = PrepareImages(
        data=str(tmp_path / "data.npz"),
        shape=(8, 8, 1),
        classes=4,
        preprocessing=PRESETS["unit"],
        folder=str(tmp_path),
        hold_out=8,
        seed=0,
    )
    (tmp_path / "other").mkdir()
    theirs = replace(wanted, data=other, shape=(5, 11, 1), folder=str(tmp_path / "other"))
    ours, resized = prepare(wanted, silent), prepare(theirs, silent)
    assert resized.evaluation.class_names == ("a", "b", "c", "d")
    for one, two in (
        (ours.evaluation, resized.evaluation),
        (ours.held_out, resized.held_out),
    ):
        assert one is not None
        assert two is not None
        np.testing.assert_array_equal(np.load(one.images)[:, 0, 0, 0], np.load(two.images)[:, 0, 0, 0])
        np.testing.assert_array_equal(np.load(str(one.labels)), np.load(str(two.labels)))


def test_photos_and_arrays_of_that_size_stay(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(_pixels(3)[0]).save(tmp_path / "photos" / "a.png")
    np.savez(tmp_path / "data.npz", images=_pixels(3))
    for data, shape in (("photos", (4, 4, 3)), ("data.npz", (10, 14, 3))):
        task = ResizeData(data=str(tmp_path / data), split="test", shape=shape, out=str(tmp_path / "out.npz"))
        assert resize_data(task, silent).file is None
        assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("channels", "shape", "words"),
    [
        (3, (5, 5, 1), "holds images of 3 channels, and the model takes 1"),
        (4, (5, 5, 4), "photos have 1 or 3 channels, and the model takes 4"),
    ],
)
def test_what_a_resize_cannot_give_is_refused(
    tmp_path: Path, channels: int, shape: tuple[int, int, int], words: str
) -> None:
    np.savez(tmp_path / "data.npz", images=_pixels(channels))
    task = ResizeData(
        data=str(tmp_path / "data.npz"), split="test", shape=shape, out=str(tmp_path / "out.npz")
    )
    with pytest.raises(DataError, match=words):
        resize_data(task, silent)
