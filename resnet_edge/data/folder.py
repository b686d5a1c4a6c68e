"""A folder with one sub-folder of images per class, or a flat folder without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from PIL import Image, UnidentifiedImageError

from resnet_edge.core.errors import DataError
from resnet_edge.data import ImageSet

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
MODES = {1: "L", 3: "RGB"}
# A guard against decompression bombs; Pillow's own limit only warns below twice this size.
Image.MAX_IMAGE_PIXELS = 100_000_000


def load(folder: Path, shape: tuple[int, int, int] | None, scratch: Path | None) -> ImageSet:
    """Decode every image to `shape` (H, W, C), bilinear and antialiased, aspect not kept.

    Without `shape` the first image's size is used. Raises DataError with the file that does
    not decode; other kinds of file are not images and are left out.
    """
    files, labels, names = _listing(folder)
    height, width, channels = shape or _shape_of(files[0])
    if channels not in MODES:
        raise DataError(f"images have 1 or 3 channels, and the model takes {channels}: give an .npz instead")
    size = (len(files), height, width, channels)
    images = (
        open_memmap(scratch / f"{abs(hash(folder))}.npy", mode="w+", dtype=np.uint8, shape=size)
        if scratch is not None
        else np.empty(size, np.uint8)
    )
    for row, file in enumerate(files):
        images[row] = decode(file, height, width, channels)
    return ImageSet(images, labels, names, folder.name or str(folder))


def decode(file: Path, height: int, width: int, channels: int) -> np.ndarray:
    """One image file as (H, W, C) uint8, turned as its EXIF tag says."""
    try:
        with Image.open(file) as opened:
            upright = _upright(opened).convert(MODES[channels])
            pixels = np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise DataError(f"{file} does not decode as an image ({error}): mend or remove it") from error
    return pixels.reshape(height, width, channels)


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _listing(folder: Path) -> tuple[list[Path], np.ndarray | None, tuple[str, ...]]:
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    flat = _images(folder)
    if classes and flat:
        raise DataError(
            f"{folder} holds both images and sub-folders: one sub-folder per class, or images only"
        )
    if not classes:
        if not flat:
            raise DataError(f"{folder} holds no image ({', '.join(sorted(SUFFIXES))})")
        return flat, None, ()
    files: list[Path] = []
    labels: list[int] = []
    for label, entry in enumerate(classes):
        found = _images(entry)
        if not found:
            raise DataError(f"class folder {entry} holds no image")
        files += found
        labels += [label] * len(found)
    return files, np.asarray(labels, np.int64), tuple(entry.name for entry in classes)


def _images(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))


def _shape_of(file: Path) -> tuple[int, int, int]:
    try:
        with Image.open(file) as image:
            return image.height, image.width, 1 if image.mode in ("L", "1", "I;16") else 3
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{file} does not decode as an image ({error})") from error
