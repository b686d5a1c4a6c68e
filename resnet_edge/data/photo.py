"""A photo as a file, or as the bytes of one, upright and with 8-bit samples."""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from resnet_edge.core.errors import DataError, first_line

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""What is decoded, whatever a file is called. Pillow knows more, and for PostScript it starts Ghostscript."""

MAX_PIXELS = 100_000_000
"""A guard against decompression bombs: a file of some kB can ask for all the memory."""


SAMPLE_BYTES = 8
"""Of a pixel at most: four channels of 16 bits."""
LARGEST = MAX_PIXELS * SAMPLE_BYTES
"""Bytes of a file with one photo: as many as its pixels take where nothing packs them."""


def upright(file: Path | str, content: bytes | None = None) -> Image.Image:
    """The photo in whatever mode it has, turned as its EXIF tag says; of an animation the first frame;
    16-bit samples keep their upper 8 bits. `content`: the bytes of the photo, where they are at hand; `file`
    then is what errors call it. Raises DataError."""
    with _opened(file, content) as opened:
        return _eight_bits(file, ImageOps.exif_transpose(opened), opened.format)


LYING = (5, 6, 7, 8)
"""Of the EXIF tag Orientation: rows are columns (Exif 3.0, 4.6.5.4)."""

HEADER_SECONDS = 0.5
"""Of processor time: some thousand times what a header takes. Pillow looks through what lies between the
segments of a JPEG byte by byte, which takes hours where that is a hole of some GB."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """Of a photo, upright: its sides in pixels, and its mode as Pillow spells it."""

    width: int
    height: int
    mode: str


def check_header(file: Path) -> Header:
    """Raises DataError where the header says that the photo is too large, or none; nothing is decoded."""

    def late(*_: object) -> None:
        raise DataError(f"{file} has no end to its header: it is damaged; fix or remove it")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, HEADER_SECONDS)
    try:
        with _opened(file) as opened:
            sides = opened.size
            # Of a PNG without EXIF at its beginning Pillow decodes all, to look behind the pixels.
            says_early = opened.format != "PNG" or "exif" in opened.info
            if says_early and opened.getexif().get(ExifTags.Base.Orientation) in LYING:
                sides = sides[1], sides[0]
            return Header(width=sides[0], height=sides[1], mode=opened.mode)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _opened(file: Path | str, content: bytes | None = None) -> Iterator[Image.Image]:
    """The photo before its pixels are decoded; what goes wrong within is a DataError."""
    try:
        with Image.open(file if content is None else io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise DataError(_too_large(file, f"{opened.width:,}x{opened.height:,}"))
            yield opened
    except DataError:
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit is higher, and tells no sides
        raise DataError(_too_large(file, _pixels_in(error))) from error
    except Exception as error:  # Pillow's decoders raise whatever their parsers raise
        raise DataError(f"{file} does not decode as an image ({_why(error)}): fix or remove it") from error


def _why(error: Exception) -> str:
    """Pillow names an object of Python where it was given bytes."""
    if isinstance(error, UnidentifiedImageError):
        return f"it begins as none of {', '.join(FORMATS)}"
    return first_line(error)


def _too_large(file: Path | str, size: str) -> str:
    return f"{file} has {size} pixels, and {MAX_PIXELS:,} are the most: make it smaller, or remove it"


def _pixels_in(error: Exception) -> str:
    match = re.search(r"\d{7,}", str(error))
    return f"{int(match[0]):,}" if match else "too many"


STEP = {"LAB": "RGB", "La": "LA"}
"""Modes of a TIFF that Pillow converts to one other alone, and not to both grey and RGB."""


def _eight_bits(file: Path | str, image: Image.Image, kind: str | None) -> Image.Image:
    """The image with 8-bit samples: `convert` would clip wider ones, not scale them."""
    # A PGM file has 16 bits at most; Pillow gives them 32, scaled to 0 to 65535 (PpmImagePlugin).
    if image.mode.startswith("I;16") or (kind, image.mode) == ("PPM", "I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError(f"{file} has 32-bit samples, whose range is not known: save it with 8 or 16 bits")
    if image.mode in STEP:
        return image.convert(STEP[image.mode])
    # From a palette, straight to grey or RGB, Pillow warns of the transparency that it drops.
    return image.convert("RGBA") if image.mode == "P" and "transparency" in image.info else image
