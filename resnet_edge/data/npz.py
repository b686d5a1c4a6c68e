"""An `.npz` file with `images` and, optionally, `labels` and `class_names`."""

from __future__ import annotations

import errno
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.budget import check_npz
from resnet_edge.core.errors import DataError, first_line
from resnet_edge.data import ImageSet

Array = NDArray[Any]


AGAIN = "save it with numpy.savez(path, images=…, labels=…)"

BLOCK = 1 << 24
"""Bytes of images that are looked at together."""


def load(path: Path, scratch: Path | None = None) -> ImageSet:
    """Read the arrays; never unpickles. In a folder `scratch` the images are unpacked to be memory-mapped,
    and are never all in memory. Raises DataError with what is wrong and where."""
    check_npz(path, scratch)
    arrays = _read(path, scratch)
    images = _images(arrays["images"], path)
    labels = _labels(arrays["labels"], len(images), path) if "labels" in arrays else None
    names = _names(arrays["class_names"], path) if "class_names" in arrays else ()
    if names and labels is not None and labels.size and labels.max() >= len(names):
        raise DataError(
            f"'labels' in {path} has class {labels.max()} at {labels.argmax()}, and only {len(names)} class "
            "names: name each, from class 0 on"
        )
    return ImageSet(images, labels, names, path.name)


def _read(path: Path, scratch: Path | None) -> dict[str, Array]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            held = list(archive)
            arrays = {name: archive[name] for name in ("labels", "class_names") if name in held}
            if "images" in held:
                arrays["images"] = archive["images"] if scratch is None else _unpacked(path, scratch)
            for name, values in arrays.items():
                if not isinstance(values, np.ndarray):  # numpy gives the bytes of what has no mark of its own
                    raise TypeError(f"{name!r} is no array")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # of the disk, and not of the file
            raise
        raise DataError(f"{path} cannot be read as .npz ({first_line(error)}): {AGAIN}") from error
    except Exception as error:  # numpy, zipfile and zlib raise whatever their parsers raise
        text = "it is no archive of arrays" if isinstance(error, TypeError) else first_line(error)
        raise DataError(f"{path} cannot be read as .npz ({text}): {AGAIN}") from error
    if "images" not in arrays:
        raise DataError(f"{path} has no array 'images'; it holds: {', '.join(held) or 'nothing'}: {AGAIN}")
    return arrays


def _unpacked(path: Path, scratch: Path) -> Array:
    with (
        zipfile.ZipFile(path) as archive,
        archive.open("images.npy") as packed,
        # A name of its own: another set may be mapped from the same folder.
        tempfile.NamedTemporaryFile(dir=scratch, suffix=".npy", delete=False) as file,
    ):
        shutil.copyfileobj(packed, file, BLOCK)
    found: Array = np.load(file.name, mmap_mode="r", allow_pickle=False)
    return found


def _images(images: Array, path: Path) -> NDArray[np.uint8] | NDArray[np.float32]:
    if images.ndim != 4:
        raise DataError(f"'images' in {path} has shape {images.shape}; it must be (N,H,W,C)")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise DataError(f"'images' in {path} is {images.dtype}; it must be uint8 or float32: save it as one")
    with np.errstate(over="ignore"):  # what overflows is Inf, and refused below
        images = images.astype(np.float32, copy=False)
    rows = max(1, BLOCK // max(1, images[:1].nbytes))
    blocks = (images[start : start + rows] for start in range(0, len(images), rows))
    whole = [np.isfinite(block).all(axis=(1, 2, 3)) for block in blocks]
    bad = ~np.concatenate([np.ones(0, bool), *whole])
    if bad.any():
        raise DataError(
            f"'images' in {path} has NaN or Inf in {bad.sum()} images, the first at {bad.argmax()}: "
            "leave these out"
        )
    return images


def _labels(labels: Array, count: int, path: Path) -> NDArray[np.int64]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise DataError(
            f"'labels' in {path} is {labels.dtype} {labels.shape}; it must be {count} integers, one per image"
        )
    labels = labels.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise DataError(
            f"'labels' in {path} has the negative class {labels.min()} at image {labels.argmin()}: "
            "number the classes from 0"
        )
    return labels


def _names(names: Array, path: Path) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"'class_names' in {path} is {names.dtype} {names.shape}; it must be strings (classes,)"
        )
    return tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in names.tolist()
    )
