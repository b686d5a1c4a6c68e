"""DATA as arrays: the same pictures, labels and names, whatever it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.data import blocks
from resnet_edge.data.array_file import write_data
from resnet_edge.data.array_file_task import WriteArrays
from resnet_edge.data.load import load
from resnet_edge.workers.progress import Progress, silent

SHAPE = (8, 10, 3)


@pytest.fixture
def photos(tmp_path: Path) -> str:
    random = np.random.default_rng(0)
    for number in range(9):
        folder = tmp_path / "photos" / f"class {number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (20 + number, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")
    return str(tmp_path / "photos")


def test_photos_are_those_that_a_training_decodes(
    photos: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 1000)  # several blocks, the last one short
    out = str(tmp_path / "train.npz")
    news: list[Progress] = []
    task = WriteArrays(data=photos, split="train", shape=SHAPE, out=out)
    assert write_data(task, news.append).path == out
    ours, theirs = load(out, "train", SHAPE), load(photos, "train", SHAPE)
    np.testing.assert_array_equal(ours.images[:], theirs.images[:])
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    assert ours.images.dtype == np.uint8
    assert ours.class_names == theirs.class_names == ("class 0", "class 1", "class 2")
    assert [one.done for one in news][-1] == 9 == news[-1].total
    assert len(news) > 2


def test_arrays_stay_what_they_are(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((5, *SHAPE), np.float32)
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [1, 0]])
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    out = str(tmp_path / "train.npz")
    write_data(WriteArrays(data=str(tmp_path / "data.npz"), split="train", shape=SHAPE, out=out), silent)
    ours = load(out, "train", SHAPE)
    np.testing.assert_array_equal(ours.images[:], images)
    np.testing.assert_array_equal(ours.labels, labels)
    assert ours.class_names == ()


def test_the_split_of_a_data_set_with_a_name_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    out = str(tmp_path / "test.npz")
    write_data(WriteArrays(data="fashion-mnist", split="test", shape=(28, 28, 1), out=out), silent)
    ours, theirs = load(out, "test", (28, 28, 1)), load("fashion-mnist", "test", (28, 28, 1))
    np.testing.assert_array_equal(ours.images[:], theirs.images[:])
    assert (len(ours), ours.class_names) == (10_000, theirs.class_names)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", images=np.zeros((2, 4, 4, 3), np.uint8), labels=np.arange(2))
    task = WriteArrays(
        data=str(tmp_path / "data.npz"), split="train", shape=SHAPE, out=str(tmp_path / "train.npz")
    )
    with pytest.raises(DataError, match="4x4x3 images, and the model takes 8x10x3"):
        write_data(task, silent)
