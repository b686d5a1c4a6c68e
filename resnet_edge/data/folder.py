"""A folder with one sub-folder of images per class, or a flat folder without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.core.image_contract import contract
from resnet_edge.data.encoded import PLACE, WHOLE, EncodedImages, PhotoFile
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.photo import upright
from resnet_edge.data.present import is_present
from resnet_edge.data.resize import apply

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})


def load(folder: Path, shape: tuple[int, int, int] | None, resize: str = "pillow") -> ImageSet:
    """Every image of `shape` (H, W, C), by the steps that `resize` names, a preset or a JSON file
    (core/image_contract.py): without one bilinear and antialiased, aspect not kept. They are decoded when
    they are asked for.

    Without `shape` the first image's size is used. Raises UnknownName, and DataError; other kinds of file are
    not images and are left out."""
    files, labels, names = _listed(folder)
    height, width, channels = shape or shape_of(upright(files[0]))
    check_channels(channels)
    places = np.zeros(len(files), PLACE)
    places["file"], places["record"] = np.arange(len(files)), WHOLE
    places["size"] = [_size(file) for file in files]
    photos = [PhotoFile(str(file), str(file)) for file in files]
    images = EncodedImages(photos, places, contract(resize, height, width, channels))
    own_names = tuple(_text(file.relative_to(folder)) for file in files)
    return ImageSet(images, labels, names, folder.name or str(folder), files=own_names)


def check_channels(channels: int) -> None:
    """Raises DataError unless photos have so many."""
    if channels not in (1, 3):
        raise DataError(f"images have 1 or 3 channels, and the model takes {channels}: give an .npz instead")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}): leave it where it is") from error


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


def shape_of(image: Image.Image) -> tuple[int, int, int]:
    """(H, W, C) of a photo."""
    return image.height, image.width, 1 if image.mode in GREY else 3


def photos_and_folders(folder: Path) -> list[Path]:
    """What a folder of photos holds. Raises OSError."""
    return [*_class_folders(folder), *_images(folder)]


def _class_folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not _is_left_behind(entry))


def listing(folder: Path) -> tuple[list[Path], NDArray[np.int64] | None, tuple[str, ...]]:
    """The image files, their labels (None in a flat folder) and the names of the classes, in their sorted
    order. Raises DataError, OSError."""
    classes = _class_folders(folder)
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
    return sorted(f for f in entries if is_present(f))
