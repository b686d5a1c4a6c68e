"""A folder with one sub-folder of images per class, or a flat folder without labels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.image_contract import contract
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.photo import upright
from resnet_edge.data.resize import apply

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
GREY = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L"})


def load(
    folder: Path, shape: tuple[int, int, int] | None, scratch: Path | None, resize: str = "pillow"
) -> ImageSet:
    """Decode every image to `shape` (H, W, C) by the steps that `resize` names, a preset or a JSON file
    (core/image_contract.py): without one bilinear and antialiased, aspect not kept.

    Without `shape` the first image's size is used. Raises UnknownName, and DataError with the file that
    does not decode; other kinds of file are not images and are left out.
    """
    files, labels, names = _listed(folder)
    height, width, channels = shape or _shape_of(files[0])
    if channels not in (1, 3):
        raise DataError(f"images have 1 or 3 channels, and the model takes {channels}: give an .npz instead")
    steps = contract(resize, height, width, channels)
    images = _room(folder, resize, (len(files), height, width, channels), scratch)
    for row, file in enumerate(files):
        images[row] = apply(steps, file)
    own_names = tuple(_text(file.relative_to(folder)) for file in files)
    return ImageSet(images, labels, names, folder.name or str(folder), files=own_names)


def _text(file: Path) -> str:
    """As JSON can carry it: a file name that is not UTF-8 is spelled with its bytes."""
    return file.as_posix().encode("utf-8", "backslashreplace").decode()


def files_of(folder: Path) -> list[Path]:
    """The image files that `load` would decode, in its order. Raises DataError."""
    return _listed(folder)[0]


def _listed(folder: Path) -> tuple[list[Path], NDArray[np.int64] | None, tuple[str, ...]]:
    try:
        return listing(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error}") from error


def decode(file: Path, height: int, width: int, channels: int, resize: str = "pillow") -> NDArray[np.uint8]:
    """One image file as (H, W, C) uint8, by the steps that `resize` names (data/resize.py).

    Turned as its EXIF tag says; of an animation the first frame; 16-bit samples keep their
    upper 8 bits; transparency is dropped; colour becomes grey with the weights of ITU-R BT.601.
    Raises DataError.
    """
    return apply(contract(resize, height, width, channels), file)


def _shape_of(file: Path) -> tuple[int, int, int]:
    image = upright(file)
    return image.height, image.width, 1 if image.mode in GREY else 3


def _room(
    folder: Path, resize: str, size: tuple[int, int, int, int], scratch: Path | None
) -> NDArray[np.uint8]:
    """Where the images of `folder`, resized so, go: a file in `scratch`, else memory."""
    if scratch is None:
        return np.empty(size, np.uint8)
    digest = hashlib.sha256(os.fsencode(folder.resolve()) + b"\0" + os.fsencode(resize)).hexdigest()[:16]
    name = f"{digest}-{'x'.join(map(str, size))}.npy"
    mapped: NDArray[np.uint8] = open_memmap(scratch / name, mode="w+", dtype=np.uint8, shape=size)
    return mapped


def listing(folder: Path) -> tuple[list[Path], NDArray[np.int64] | None, tuple[str, ...]]:
    """The image files, their labels (None in a flat folder) and the names of the classes, in their sorted
    order. Raises DataError, OSError."""
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not _is_left_behind(entry))
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
        images = _images(entry)
        if not images:
            raise DataError(_no_image_in(entry))
        files += images
        labels += [label] * len(images)
    return files, np.asarray(labels, np.int64), tuple(entry.name for entry in classes)


def _is_left_behind(entry: Path) -> bool:
    """Whether a folder is hidden, or what the archiver of macOS leaves beside the folders that it packed."""
    return entry.name.startswith(".") or (entry.name == "__MACOSX" and not _images(entry))


def _no_image_in(entry: Path) -> str:
    if any(inner.is_dir() for inner in entry.iterdir()):
        return f"class folder {entry} holds folders and no image: if it is the data, give it as DATA"
    return f"class folder {entry} holds no image: put some there, or remove it"


def _images(folder: Path) -> list[Path]:
    entries = (f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    return sorted(f for f in entries if f.is_file())
