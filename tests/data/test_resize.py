from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.core.image_contract import ImageContract, contract
from resnet_edge.data import folder
from resnet_edge.data.resize import apply, box_of
from tests.data.photos import SIZES, noise


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (1, "L")])
def test_the_default_gives_the_pixels_that_folders_always_gave(
    tmp_path: Path, size: tuple[int, int], channels: int, mode: str
) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(noise(*size)).save(file)
    with Image.open(file) as photo:
        before = np.asarray(photo.convert(mode).resize((20, 16), Image.Resampling.BILINEAR))
    decoded = folder.decode(file, 16, 20, channels)
    assert decoded.shape == (16, 20, channels)
    np.testing.assert_array_equal(decoded, before.reshape(16, 20, channels))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", SIZES)
def test_without_antialias_it_is_tensorflows(size: tuple[int, int], interpolation: Any) -> None:
    import tensorflow as tf

    steps = ImageContract(
        name="t", height=16, width=20, colour="RGB", interpolation=interpolation, antialias=False
    )
    theirs = tf.image.resize(noise(*size), (16, 20), method=interpolation).numpy()
    difference = np.abs(apply(steps, Image.fromarray(noise(*size))) - theirs.clip(0, 255))
    # What rounding takes, and a little: TensorFlow computes in float32, and its cubic is a table of 1,024.
    assert difference.max() < (0.501 if interpolation == "bilinear" else 1)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_where_it_enlarges_antialias_changes_nothing(interpolation: Any) -> None:
    photo = Image.fromarray(noise(9, 11) // 2 + 64)  # Pillow clips each way by itself
    one, other = (
        apply(
            ImageContract(
                name="t",
                height=16,
                width=20,
                colour="RGB",
                fit="stretch",
                crop_fraction=1.0,
                interpolation=interpolation,
                antialias=antialias,
            ),
            photo,
        ).astype(int)
        for antialias in (True, False)
    )
    assert np.abs(one - other).max() <= 1  # Pillow computes in fixed point


def test_nearest_takes_the_pixel_under_the_centre() -> None:
    steps = ImageContract(
        name="t", height=2, width=2, colour="grey", interpolation="nearest", antialias=False
    )
    photo = np.arange(36, dtype=np.uint8).reshape(6, 6)
    assert apply(steps, Image.fromarray(photo))[..., 0].tolist() == [[7, 10], [25, 28]]


@pytest.mark.parametrize(
    ("size", "box"),
    [((256, 256), (16, 16, 240, 240)), ((400, 300), (68, 18, 331, 281)), ((1, 1), (0, 0, 1, 1))],
)
def test_the_crop_is_a_centred_square(size: tuple[int, int], box: tuple[int, ...]) -> None:
    assert box_of(contract("crop", 224, 224, 3), *size) == box


@pytest.mark.parametrize(("name", "filter"), [("crop", 2), ("crop-bicubic", 3)])
def test_the_crop_is_that_of_imagenets_evaluation(name: str, filter: int) -> None:
    smooth = Image.fromarray(noise(12, 16)).resize((640, 480), Image.Resampling.BICUBIC)
    short = smooth.resize((341, 256), Image.Resampling(filter))
    theirs = np.asarray(short.crop((58, 16, 282, 240))).astype(int)
    crop, whole = (apply(contract(one, 224, 224, 3), smooth) for one in (name, "pillow"))
    # Theirs is a photo pixel to the left: they crop whole pixels of 341, which are nearly two of it.
    assert np.abs(crop - theirs).mean() < 2
    assert np.abs(whole - theirs).mean() > 20


@pytest.mark.parametrize("antialias", [True, False])
def test_nothing_from_outside_of_the_crop_gets_in(antialias: bool) -> None:
    photo = np.zeros((16, 32, 3), np.uint8)
    photo[:, 9:23] = 200
    steps = ImageContract(
        name="t", height=7, width=7, colour="RGB", fit="crop", crop_fraction=0.875, antialias=antialias
    )
    assert set(apply(steps, Image.fromarray(photo)).ravel()) == {200}


def test_transparency_is_dropped_and_grey_repeated() -> None:
    clear = np.dstack([np.full((4, 4, 3), 77, np.uint8), np.zeros((4, 4), np.uint8)])
    for steps in (contract("pillow", 2, 2, 3), contract("tensorflow", 2, 2, 3)):
        assert set(apply(steps, Image.fromarray(clear)).ravel()) == {77}
        assert set(apply(steps, Image.new("L", (5, 5), 33)).ravel()) == {33}


def test_a_file_that_does_not_decode_is_named(tmp_path: Path) -> None:
    (tmp_path / "no.jpg").write_bytes(b"no")
    with pytest.raises(DataError, match=r"no\.jpg does not decode"):
        apply(contract("tensorflow", 2, 2, 3), tmp_path / "no.jpg")


def test_a_folder_is_loaded_by_the_contract_and_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(noise(50, 71)).save(tmp_path / "photos" / "a.png")
    first = folder.load(tmp_path / "photos", (16, 20, 3))
    other = folder.load(tmp_path / "photos", (16, 20, 3), "tensorflow")
    steps = contract("tensorflow", 16, 20, 3)
    np.testing.assert_array_equal(other.images[0], apply(steps, tmp_path / "photos" / "a.png"))
    np.testing.assert_array_equal(first.images[0], folder.decode(tmp_path / "photos" / "a.png", 16, 20, 3))
    assert (first.images[0] != other.images[0]).any()
