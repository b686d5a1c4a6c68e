"""An `.npz` file with `images` and, optionally, `labels` and `class_names`."""

from __future__ import annotations

import errno
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from resnet_edge.core.budget import check_npz
from resnet_edge.core.errors import DataError, first_line
from resnet_edge.data.image_set import ImageSet, check_class_numbers, check_size

Array = NDArray[Any]


AGAIN = "save it with numpy.savez(path, images=…, labels=…)"

BLOCK = 1 << 24
"""Bytes of images that are looked at together."""


def load(path: Path, scratch: Path | None = None, shape: tuple[int, int, int] | None = None) -> ImageSet:
    """Read the arrays; never unpickles. In a folder `scratch` the images are unpacked to be memory-mapped,
    and are never all in memory; images of another size than `shape` (H, W, C) are not unpacked. Raises
    DataError with what is wrong and where."""
    check_npz(path, scratch)
    with _opened(path) as archive:
        header = _header(archive, path)
        _check_images(header, path)
        check_size(header.shape[1:], path.name, shape)
        small = {name: _array(archive, name) for name in SMALL if _member(name) in archive.namelist()}
        images = _array(archive, "images") if scratch is None else _unpacked(archive, scratch)
    labels, names = _checked(small, len(images), path)
    return ImageSet(_as_pixels(images, path), labels, names, path.name)


def look(path: Path, *, fresh: bool = False) -> tuple[int, ...]:
    """The shape of the images, by their header: only labels and names are unpacked, and checked. `fresh`: a
    network is to be trained that has as many classes as the labels tell. Raises DataError."""
    check_npz(path)
    with _opened(path) as archive:
        header = _header(archive, path)
        _check_images(header, path)
        small = {name: _array(archive, name) for name in SMALL if _member(name) in archive.namelist()}
    if 0 in header.shape:
        raise DataError(f"{path.name} holds no image")
    labels, names = _checked(small, header.shape[0], path)
    if fresh and labels is not None and not names:
        check_class_numbers(labels, path.name)
    return header.shape


SMALL = ("labels", "class_names")


@dataclass(frozen=True, kw_only=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; what goes wrong within is a DataError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # of the disk, and not of the file
            raise
        raise DataError(f"{path} cannot be read as .npz ({first_line(error)}): {AGAIN}") from error
    except Exception as error:  # numpy, zipfile and zlib raise whatever their parsers raise
        text = first_line(error) if zipfile.is_zipfile(path) else "it is no archive of arrays"
        raise DataError(f"{path} cannot be read as .npz ({text}): {AGAIN}") from error


def _member(name: str) -> str:
    """What numpy.savez calls it. numpy.load also finds `name` alone, beside which this may stand: what is
    checked (core/budget.py) must be what is read."""
    return f"{name}.npy"


def _header(archive: zipfile.ZipFile, path: Path) -> _Header:
    """Of the images."""
    held = archive.namelist()
    if _member("images") not in held:
        names = ", ".join(name.removesuffix(".npy") for name in held[:20]) or "nothing"
        raise DataError(f"{path} has no array 'images'; it holds: {names}: {AGAIN}")
    with archive.open(_member("images")) as packed:
        version = _version(packed)
        if version not in _READERS:
            raise ValueError("'images' has a version of .npy that is for names of fields")
        shape, _, dtype = _READERS[version](packed)
        declared = packed.tell() + prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise ValueError("'images' holds objects of Python, and no numbers")
    size = archive.getinfo(_member("images")).file_size
    if min((0, *shape)) < 0 or size < declared:
        raise ValueError(f"'images' declares {dtype} {shape}, and there are {size:,} bytes of it")
    return _Header(shape=tuple(map(int, shape)), dtype=dtype)


def _version(packed: IO[bytes]) -> tuple[int, int]:
    """Of the format of an array."""
    try:
        version: tuple[int, int] = npy.read_magic(packed)
    except ValueError as error:
        raise ValueError("it is no archive of arrays") from error
    return version


_READERS: dict[tuple[int, int], Callable[[Any], Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def _array(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(_member(name)) as packed:
        _version(packed)
        packed.seek(0)
        array: Array = npy.read_array(packed, allow_pickle=False)
    return array


def _unpacked(archive: zipfile.ZipFile, scratch: Path) -> Array:
    with (
        archive.open(_member("images")) as packed,
        # A name of its own: another set may be mapped from the same folder.
        tempfile.NamedTemporaryFile(dir=scratch, suffix=".npy", delete=False) as file,
    ):
        shutil.copyfileobj(packed, file, BLOCK)
    array: Array = np.load(file.name, mmap_mode="r", allow_pickle=False)
    return array


def _checked(
    small: Mapping[str, Array], count: int, path: Path
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Labels and names of `count` images."""
    labels = _labels(small["labels"], count, path) if "labels" in small else None
    names = _names(small["class_names"], path) if "class_names" in small else ()
    if names and labels is not None and labels.ndim == 2 and labels.shape[1] != len(names):
        raise DataError(
            f"'labels' in {path} has {labels.shape[1]} labels per image, and 'class_names' {len(names)}: "
            "name "
            "each, in their order"
        )
    if names and labels is not None and labels.ndim == 1 and labels.size and labels.max() >= len(names):
        raise DataError(
            f"'labels' in {path} has class {labels.max()} at {labels.argmax()}, and only {len(names)} class "
            "names: name each, from class 0 on"
        )
    return labels, names


def _check_images(header: _Header, path: Path) -> None:
    if len(header.shape) != 4:
        raise DataError(f"'images' in {path} has shape {header.shape}; it must be (N,H,W,C)")
    if header.dtype != np.uint8 and header.dtype.kind != "f":
        raise DataError(f"'images' in {path} is {header.dtype}; it must be uint8 or float32: save it as one")


def _as_pixels(images: Array, path: Path) -> NDArray[np.uint8] | NDArray[np.float32]:
    if images.dtype == np.uint8:
        return images
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
    if labels.ndim == 2:
        return _several(labels, count, path)
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise DataError(
            f"'labels' in {path} is {labels.dtype} {labels.shape}; it must be {count} integers, one per "
            "image, "
            f"or ({count}, labels) of 0 and 1"
        )
    if labels.size and labels.max() > np.iinfo(np.int64).max:
        raise DataError(
            f"'labels' in {path} has class {labels.max()} at image {labels.argmax()}: number the "
            "classes from 0 on"
        )
    labels = labels.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise DataError(
            f"'labels' in {path} has the negative class {labels.min()} at image {labels.argmin()}: "
            "number the classes from 0"
        )
    return labels


def _several(labels: Array, count: int, path: Path) -> NDArray[np.int64]:
    """(N, labels): for each whether an image has it."""
    if labels.dtype.kind not in "iub" or len(labels) != count or not labels.shape[1]:
        raise DataError(
            f"'labels' in {path} is {labels.dtype} {labels.shape}; several labels per image are integers "
            f"({count}, labels), 1 for each that an image has and 0 for others"
        )
    if (wrong := np.argwhere((labels != 0) & (labels != 1))).size:
        row, column = wrong[0]
        raise DataError(
            f"'labels' in {path} has {labels[row, column]} at image {row}, label {column}; several labels "
            "per "
            "image are 0 and 1 (no and yes)"
        )
    return labels.astype(np.int64)


def _names(names: Array, path: Path) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"'class_names' in {path} is {names.dtype} {names.shape}; it must be strings (classes,)"
        )
    return tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in names.tolist()
    )
