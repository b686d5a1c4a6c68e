"""A folder with one sub-folder of images per class, or a flat folder without labels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image, ImageOps

from resnet_edge.core.errors import DataError
from resnet_edge.data import ImageSet

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
MODES = {1: "L", 3: "RGB"}
GREY = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L"})
MAX_PIXELS = 100_000_000
"""A guard against decompression bombs: a file of some kB can ask for all the memory."""


def load(folder: Path, shape: tuple[int, int, int] | None, scratch: Path | None) -> ImageSet:
    """Decode every image to `shape` (H, W, C), bilinear and antialiased, aspect not kept.

    Without `shape` the first image's size is used. Raises DataError with the file that does
    not decode; other kinds of file are not images and are left out.
    """
    try:
        files, labels, names = _listing(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error}") from error
    height, width, channels = shape or _shape_of(files[0])
    if channels not in MODES:
        raise DataError(f"images have 1 or 3 channels, and the model takes {channels}: give an .npz instead")
    images = _room(folder, (len(files), height, width, channels), scratch)
    for row, file in enumerate(files):
        images[row] = decode(file, height, width, channels)
    return ImageSet(images, labels, names, folder.name or str(folder))


def decode(file: Path, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """One image file as (H, W, C) uint8.

    Turned as its EXIF tag says; of an animation the first frame; 16-bit samples keep their
    upper 8 bits; transparency is dropped; colour becomes grey with the weights of ITU-R BT.601.
    Raises DataError.
    """
    upright = _open(file).convert(MODES[channels])
    pixels = np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    return pixels.reshape(height, width, channels)


def _open(file: Path) -> Image.Image:
    try:
        with Image.open(file) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise DataError(f"{file} has {opened.width}x{opened.height} pixels: make it smaller")
            return _eight_bits(file, ImageOps.exif_transpose(opened))
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever their parsers raise
        raise DataError(f"{file} does not decode as an image ({error}): mend or remove it") from error


def _eight_bits(file: Path, image: Image.Image) -> Image.Image:
    """The image with 8-bit samples: `convert` would clip wider ones, not scale them."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError(f"{file} has 32-bit samples, whose range nothing tells: save it with 8 or 16 bits")
    # From a palette, straight to grey or RGB, Pillow warns of the transparency that it drops.
    return image.convert("RGBA") if image.mode == "P" and "transparency" in image.info else image


def _shape_of(file: Path) -> tuple[int, int, int]:
    image = _open(file)
    return image.height, image.width, 1 if image.mode in GREY else 3


def _room(folder: Path, size: tuple[int, int, int, int], scratch: Path | None) -> NDArray[np.uint8]:
    """Where the images of `folder` go: a file in `scratch`, else memory."""
    if scratch is None:
        return np.empty(size, np.uint8)
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    name = f"{digest}-{'x'.join(map(str, size))}.npy"
    mapped: NDArray[np.uint8] = open_memmap(scratch / name, mode="w+", dtype=np.uint8, shape=size)
    return mapped


def _listing(folder: Path) -> tuple[list[Path], NDArray[np.int64] | None, tuple[str, ...]]:
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
            raise DataError(_no_image_in(entry))
        files += found
        labels += [label] * len(found)
    return files, np.asarray(labels, np.int64), tuple(entry.name for entry in classes)


def _no_image_in(entry: Path) -> str:
    if any(inner.is_dir() for inner in entry.iterdir()):
        return f"class folder {entry} holds folders and no image: if it is the data, give it as DATA"
    return f"class folder {entry} holds no image: put some there, or remove it"


def _images(folder: Path) -> list[Path]:
    entries = (f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    return sorted(f for f in entries if f.is_file())
