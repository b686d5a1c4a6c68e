"""Tests of data.folder on images that Pillow writes here."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.data import folder
from resnet_edge.data.load import load

GRADIENT = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def save(path: Path, pixels: np.ndarray = GRADIENT, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def colour(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((8, 8, 3), (red, green, blue), np.uint8)


def test_sorted_sub_folders_are_the_labels(tmp_path: Path) -> None:
    save(tmp_path / "zebra" / "1.png", colour(9, 9, 9))
    save(tmp_path / "ant" / "b.png", colour(2, 2, 2))
    save(tmp_path / "ant" / "a.png", colour(1, 1, 1))
    save(tmp_path / ".cache" / "x.png")
    (tmp_path / "ant" / "notes.txt").write_text("not an image")
    found = load(str(tmp_path), "test", (8, 8, 3))
    assert found.class_names == ("ant", "zebra")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1]
    assert found.images.shape == (3, 8, 8, 3)
    assert found.images[:, 0, 0, 0].tolist() == [1, 2, 9]


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    found = load(str(tmp_path), "test", (8, 8, 1))
    assert found.labels is None
    assert found.class_names == ()
    np.testing.assert_array_equal(found.images[0, ..., 0], GRADIENT)


def test_without_a_shape_the_first_upright_image_gives_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held upright: turn by 90 degrees
    save(tmp_path / "a.jpg", np.zeros((4, 10, 3), np.uint8), exif=exif)
    assert load(str(tmp_path), "test").images.shape == (1, 10, 4, 3)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    file = save(tmp_path / "a.png", pixels, exif=exif)
    upright = folder.decode(file, 8, 8, 1)[..., 0]
    assert upright[:3].max() == 0
    assert upright[5:].min() == 255


def test_grey_becomes_rgb_and_rgb_becomes_grey(tmp_path: Path) -> None:
    grey, red = save(tmp_path / "grey.png"), save(tmp_path / "red.png", colour(255, 0, 0))
    as_rgb = folder.decode(grey, 8, 8, 3)
    assert (as_rgb == GRADIENT[..., None]).all()
    assert set(np.unique(folder.decode(red, 8, 8, 1))) == {76}  # 0.299 * 255


def test_alpha_is_dropped(tmp_path: Path) -> None:
    pixels = np.dstack([colour(10, 20, 30), np.zeros((8, 8), np.uint8)])
    assert folder.decode(save(tmp_path / "a.png", pixels), 8, 8, 3)[0, 0].tolist() == [10, 20, 30]


def test_16_bits_keep_their_upper_half_instead_of_clipping(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png", GRADIENT.astype(np.uint16) * 256 + 7)
    np.testing.assert_array_equal(folder.decode(file, 8, 8, 1)[..., 0], GRADIENT)


def test_32_bit_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.tiff has 32-bit samples"):
        folder.decode(save(tmp_path / "a.tiff", GRADIENT.astype(np.float32)), 8, 8, 1)


def test_a_transparent_palette_image_decodes(tmp_path: Path) -> None:
    picture = Image.fromarray(colour(10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    picture.save(tmp_path / "a.png", transparency=b"\x00\x10")
    assert folder.decode(tmp_path / "a.png", 8, 8, 3)[0, 0].tolist() == [10, 20, 30]


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(colour(level, level, level)) for level in (40, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert folder.decode(tmp_path / "a.gif", 8, 8, 1)[0, 0, 0] == 40


def test_resizing_averages_what_it_shrinks(tmp_path: Path) -> None:
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = folder.decode(save(tmp_path / "a.png", board), 8, 8, 1)
    assert (np.abs(small.astype(int) - 127) <= 2).all()


def broken_jpeg(path: Path) -> Path:
    content = save(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, width: int, height: int
) -> None:
    (tmp_path / "bomb.png").write_bytes(png_that_claims(width, height))
    with pytest.raises(DataError, match=r"bomb\.png"):
        folder.decode(tmp_path / "bomb.png", 8, 8, 1)


def test_postscript_is_no_photo_whatever_it_is_called(tmp_path: Path) -> None:
    """Pillow gives it to Ghostscript, which would run it."""
    (tmp_path / "a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    )
    with pytest.raises(DataError, match=r"a\.png does not decode as an image"):
        load(str(tmp_path), "test", (8, 8, 3))


def test_a_file_that_does_not_decode_is_named(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "good.jpg")
    broken_jpeg(tmp_path / "cat" / "half.jpg")
    with pytest.raises(DataError, match=r"cat/half\.jpg does not decode"):
        load(str(tmp_path), "test", (8, 8, 3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), suffix=st.sampled_from(sorted(folder.SUFFIXES)))
def test_random_bytes_never_give_another_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    file = tmp_path / f"random{suffix}"
    file.write_bytes(content)
    with pytest.raises(DataError, match="random"):
        folder.decode(file, 8, 8, 3)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damaged metadata, as it should
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP"]))
def test_a_damaged_file_decodes_or_is_named(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(colour(1, 2, 3)).save(stream, kind)
    content = bytearray(stream.getvalue())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file = tmp_path / f"damaged.{kind.lower()}"
    file.write_bytes(content)
    try:
        assert folder.decode(file, 8, 8, 3).shape == (8, 8, 3)
    except DataError as error:
        told = str(error)
    else:
        return
    assert "damaged" in told


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


def test_decoded_images_go_to_scratch_under_a_name_that_tells_folders_and_shapes_apart(
    tmp_path: Path,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name, level in (("a", 1), ("b", 2)):
        save(tmp_path / name / "x.png", colour(level, level, level))
    first = load(str(tmp_path / "a"), "test", (8, 8, 3), scratch)
    other = load(str(tmp_path / "b"), "test", (8, 8, 3), scratch)
    small = load(str(tmp_path / "a"), "test", (4, 4, 3), scratch)
    assert isinstance(first.images, np.memmap)
    assert (first.images[0, 0, 0, 0], other.images[0, 0, 0, 0], small.images.shape) == (1, 2, (1, 4, 4, 3))
    before = sorted(file.name for file in scratch.iterdir())
    load(str(tmp_path / "a"), "test", (8, 8, 3), scratch)
    assert sorted(file.name for file in scratch.iterdir()) == before
