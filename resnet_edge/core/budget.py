"""How much a third-party file may ask for before anything is unpacked or computed.

Nothing here is a guess at what is large. What a file declares is held against what it is for (labels
against images, weights against the layers that hold them), and against what this machine has.
"""

from __future__ import annotations

import ast
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.core.machine import available_memory

PROMISE = 500 * 10**6
"""Bytes. A file that is refused has cost no more than this; what declares less is let through."""

LONGEST_NAME = 255
"""Letters of a class name: where classes are folders, they can have no more (NAME_MAX, limits.h)."""

_LONGEST_HEADER = 1 << 16
_DTYPE = re.compile(r"[<>|=]?([?a-zA-Z])(\d*)")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An array as its header tells: `dtype` as numpy spells it, and the bytes that it takes unpacked."""

    dtype: str
    shape: tuple[int, ...]
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


def check_data(*words: str | None) -> None:
    """Whether DATA asks for more than it can need; runs in the parent, before any work.

    Reads the headers in .npz files; where it cannot, whoever loads one says why. Raises DataError.
    """
    for word in words:
        if word is not None and word.endswith(".npz") and Path(word).is_file():
            check_npz(Path(word))


def check_npz(path: Path, scratch: Path | None = None) -> None:
    """Hold labels and names of an .npz against its images, and these against the room there is: on the disk
    of `scratch`, where they are unpacked to, or else in memory. Raises DataError."""
    arrays = declared_arrays(path, ("images", "labels", "class_names"))
    images = arrays.get("images")
    if images is None or not images.shape:
        return
    labels, names = arrays.get("labels"), arrays.get("class_names")
    if labels is not None:
        _check_labels(labels, images.shape[0], path)
    if names is not None:
        _check_names(names, path)
    _check_room(images, path, scratch)


def _check_labels(labels: Declared, count: int, path: Path) -> None:
    """One label for each of `count` images, or several: of those so many that refusing them costs what it
    may."""
    if labels.shape in ((count,), (count, 1)):
        return
    if len(labels.shape) != 2 or labels.shape[0] != count or labels.size_bytes > PROMISE // 4:
        raise DataError(
            f"'labels' in {path} is {labels}, {labels.size_bytes:,} bytes; it must be {count} integers, one "
            "per "
            f"image, or ({count}, labels) of 0 and 1, which are smallest as uint8 ({PROMISE // 4:,} bytes "
            "at most)"
        )


def declared_arrays(path: Path, names: tuple[str, ...]) -> Mapping[str, Declared]:
    """Those arrays of an .npz that are there and have a header that is understood."""
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            held = set(archive.namelist())
            for name in names:
                if f"{name}.npy" not in held:
                    continue
                with archive.open(f"{name}.npy") as member:
                    arrays[name] = _declared(member.read(_LONGEST_HEADER))
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return {}  # numpy will say the same, in its words
    return {name: declared for name, declared in arrays.items() if declared is not None}


def _declared(begin: bytes) -> Declared | None:
    """https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""
    if begin[:6] != b"\x93NUMPY" or len(begin) < 12:
        return None
    wide = begin[6] > 1
    length, start = (
        (struct.unpack_from("<I", begin, 8)[0], 12) if wide else (struct.unpack_from("<H", begin, 8)[0], 10)
    )
    try:
        header = ast.literal_eval(begin[start : start + length].decode("latin-1").strip())
        dtype, shape = header["descr"], header["shape"]
        match = _DTYPE.fullmatch(dtype)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        return None
    if match is None or not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        return None
    item = int(match[2] or 1) * (4 if match[1] == "U" else 1)
    return Declared(dtype=dtype, shape=shape, size_bytes=item * prod(shape))


def _check_names(names: Declared, path: Path) -> None:
    letters = names.size_bytes // (4 * max(1, prod(names.shape)))
    if letters > LONGEST_NAME:
        raise DataError(
            f"'class_names' in {path} is {names}, with {letters:,} letters in a name: give each "
            f"{LONGEST_NAME} at most"
        )
    # Names differ from each other, so that each takes a byte and more, however it is packed.
    if prod(names.shape) > path.stat().st_size:
        raise DataError(
            f"'class_names' in {path} is {names}, more names than the file has bytes: save it again"
        )


def _check_room(images: Declared, path: Path, scratch: Path | None) -> None:
    if images.size_bytes <= PROMISE:
        return
    room, where = available_memory(), "memory: give fewer images, or smaller ones"
    if scratch is not None:
        room, where = (
            shutil.disk_usage(scratch).free,
            f"{scratch}: make room, or name another disk with TMPDIR",
        )
    if room is not None and images.size_bytes > room:
        raise DataError(
            f"'images' in {path} is {images}, {images.size_bytes:,} bytes, and there are {room:,} free in "
            f"{where}"
        )
