"""Tests of data.folder on images that Pillow writes here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.data import folder
from resnet_edge.data.load import load
from tests.data.photos import GRADIENT, colour, save


def test_sorted_sub_folders_are_the_labels(tmp_path: Path) -> None:
    save(tmp_path / "zebra" / "1.png", colour(9, 9, 9))
    save(tmp_path / "ant" / "b.png", colour(2, 2, 2))
    save(tmp_path / "ant" / "a.png", colour(1, 1, 1))
    save(tmp_path / ".cache" / "x.png")
    (tmp_path / "ant" / "notes.txt").write_text("not an image")
    images = load(str(tmp_path), "test", (8, 8, 3))
    assert images.class_names == ("ant", "zebra")
    assert images.labels is not None
    assert images.labels.tolist() == [0, 0, 1]
    assert images.images.shape == (3, 8, 8, 3)
    assert images.images[:][:, 0, 0, 0].tolist() == [1, 2, 9]


def test_what_an_archiver_left_behind_is_no_class(tmp_path: Path) -> None:
    save(tmp_path / "ant" / "a.png")
    leftover = tmp_path / "__MACOSX" / "ant" / "._a.png"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"\0\5\x16\7 attributes, no image")
    assert load(str(tmp_path), "test", (8, 8, 1)).class_names == ("ant",)
    save(tmp_path / "__MACOSX" / "b.png")
    assert load(str(tmp_path), "test", (8, 8, 1)).class_names == ("__MACOSX", "ant"), "it has an image"


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    images = load(str(tmp_path), "test", (8, 8, 1))
    assert images.labels is None
    assert images.class_names == ()
    np.testing.assert_array_equal(images.images[0][..., 0], GRADIENT)


def test_without_a_shape_the_first_upright_image_gives_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held upright: turn by 90 degrees
    save(tmp_path / "a.jpg", np.zeros((4, 10, 3), np.uint8), exif=exif)
    assert load(str(tmp_path), "test").images.shape == (1, 10, 4, 3)


def test_grey_becomes_rgb_and_rgb_becomes_grey(tmp_path: Path) -> None:
    grey, red = save(tmp_path / "grey.png"), save(tmp_path / "red.png", colour(255, 0, 0))
    as_rgb = folder.decode(grey, 8, 8, 3)
    assert (as_rgb == GRADIENT[..., None]).all()
    assert set(np.unique(folder.decode(red, 8, 8, 1))) == {76}  # 0.299 * 255


def test_alpha_is_dropped(tmp_path: Path) -> None:
    pixels = np.dstack([colour(10, 20, 30), np.zeros((8, 8), np.uint8)])
    assert folder.decode(save(tmp_path / "a.png", pixels), 8, 8, 3)[0, 0].tolist() == [10, 20, 30]


def test_resizing_averages_what_it_shrinks(tmp_path: Path) -> None:
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = folder.decode(save(tmp_path / "a.png", board), 8, 8, 1)
    assert (np.abs(small.astype(int) - 127) <= 2).all()


def broken_jpeg(path: Path) -> Path:
    content = save(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def test_a_file_that_does_not_decode_is_named(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "good.jpg")
    broken_jpeg(tmp_path / "cat" / "half.jpg")
    with pytest.raises(DataError, match=r"cat/half\.jpg does not decode"):
        load(str(tmp_path), "test", (8, 8, 3)).images[:]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no image"),
        (["notes.txt"], "holds no image"),
        (["a.png", "cat/a.png"], "both images and sub-folders"),
        (["cat/a.png", "dog/notes.txt"], "class folder .*dog holds no image"),
        (["train/cat/a.png", "test/cat/a.png"], "test holds folders and no image: if it is the data"),
    ],
)
def test_a_folder_that_is_no_data_set_tells_why(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        if name.endswith(".png"):
            save(tmp_path / name)
        else:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("text")
    with pytest.raises(DataError, match=message):
        load(str(tmp_path), "test", (8, 8, 3))


def test_a_model_with_four_channels_is_told_to_use_npz(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"takes 4: give an \.npz"):
        load(str(tmp_path), "test", (8, 8, 4))


def test_nothing_is_written_and_a_photo_that_changes_is_told(tmp_path: Path) -> None:
    photo = save(tmp_path / "a" / "x.png", colour(1, 1, 1))
    images = load(str(tmp_path / "a"), "test", (4, 4, 3), tmp_path).images
    assert images[0].max() == 1
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a", "x.png"]
    save(photo, colour(2, 2, 2))
    with pytest.raises(DataError, match=r"x\.png has changed while it was in use"):
        images[0]
