"""Tests of data.photo: what a file holds, upright and in 8 bits; folder.decode opens it so."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.data import folder
from resnet_edge.data.load import load
from tests.data.photos import GRADIENT, colour, save


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    file = save(tmp_path / "a.png", pixels, exif=exif)
    upright = folder.decode(file, 8, 8, 1)[..., 0]
    assert upright[:3].max() == 0
    assert upright[5:].min() == 255


def test_16_bits_keep_their_upper_half_instead_of_clipping(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png", GRADIENT.astype(np.uint16) * 256 + 7)
    np.testing.assert_array_equal(folder.decode(file, 8, 8, 1)[..., 0], GRADIENT)


@pytest.mark.parametrize("largest", [65535, 1023])
def test_16_bits_of_a_pgm_keep_their_upper_half(tmp_path: Path, largest: int) -> None:
    """Whatever the largest value is that it declares. Pillow gives 32 bits of them."""
    levels = (GRADIENT / 252 * largest).round().astype(">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 8 8 %d\n" % largest + levels.tobytes())
    decoded = folder.decode(tmp_path / "a.pgm", 8, 8, 1)[..., 0]
    assert np.abs(decoded - GRADIENT / 252 * 255).max() < 1
    assert folder.load(tmp_path, None).images.shape == (1, 8, 8, 1)


def test_32_bit_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.tiff has 32-bit samples"):
        folder.decode(save(tmp_path / "a.tiff", GRADIENT.astype(np.float32)), 8, 8, 1)


EXTRA = b"\x52\x01\x03\x00\x01\x00\x00\x00%c\x00"
"""The tag ExtraSamples: 1, colours are multiplied by alpha; 2, they are not (TIFF 6.0, section 18)."""


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "body", "level"),
    [
        ("LAB", (128, 0, 0), 119),  # L* = 50.2: 0.186 of the light, and so much in sRGB
        ("La", (100, 200), 127.5),  # premultiplied: 100 / 200 of 255
    ],
)
def test_modes_of_a_tiff_become_grey_and_colour(
    tmp_path: Path, channels: int, mode: str, body: tuple[int, ...], level: float
) -> None:
    written = {"La": "LA"}.get(mode, mode)  # Pillow reads La, and does not write it
    file = io.BytesIO()
    Image.frombytes(written, (8, 8), bytes(body) * 64).save(file, "TIFF")
    (tmp_path / "a.tiff").write_bytes(file.getvalue().replace(EXTRA % 2, EXTRA % 1))
    with Image.open(tmp_path / "a.tiff") as opened:
        assert opened.mode == mode
    decoded = folder.decode(tmp_path / "a.tiff", 8, 8, channels)
    assert np.abs(decoded.astype(float) - level).max() <= 2


def test_a_transparent_palette_image_decodes(tmp_path: Path) -> None:
    picture = Image.fromarray(colour(10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    picture.save(tmp_path / "a.png", transparency=b"\x00\x10")
    assert folder.decode(tmp_path / "a.png", 8, 8, 3)[0, 0].tolist() == [10, 20, 30]


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(colour(level, level, level)) for level in (40, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert folder.decode(tmp_path / "a.gif", 8, 8, 1)[0, 0, 0] == 40


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
    with pytest.raises(DataError, match=r"a\.png does not decode as an image \(it begins as none of JPEG"):
        load(str(tmp_path), "test", (8, 8, 3)).images[0]


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
        message = str(error)
    else:
        return
    assert "damaged" in message
