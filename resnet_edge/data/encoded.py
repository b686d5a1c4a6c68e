"""Photos as their files hold them. Each is decoded when it is asked for: however many there are, no more of
them than are asked for together are ever in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.core.image_contract import ImageContract
from resnet_edge.data.kept_rows import MOST, NOT_KEPT, KeptRows
from resnet_edge.data.photo import LARGEST, upright
from resnet_edge.data.resize import apply

PLACE = np.dtype([("file", "<i4"), ("record", "<i4"), ("offset", "<i8"), ("size", "<i8")])
"""Where the bytes of a photo are: in which file, from where, how many. `record` is its number in a shard, and
WHOLE where it is a file of its own."""
WHOLE = -1
DIGEST = 16
"""Bytes of the hash of a photo's bytes."""


class PhotoFile(msgspec.Struct, frozen=True):
    """A file with photos: its path, and what the user calls it."""

    path: str
    title: str


class _Header(msgspec.Struct):
    files: tuple[PhotoFile, ...]
    steps: ImageContract
    kept: str | None


class EncodedImages:
    """What an array (N, H, W, C) of uint8 would give, without one: `[rows]` decodes a row, a slice or an
    array of rows, by `threads` threads (Pillow leaves the others run while it decodes), by the `steps` of the
    contract.

    The bytes of a photo are hashed when they are first read, and held to that hash from then on, in this
    process and in those that `open` what it has saved: what was checked is what is run. After `keep`, the
    rows that are decoded first are kept, here and for those processes. Decoding raises DataError."""

    dtype = np.dtype(np.uint8)
    itemsize = 1
    ndim = 4

    def __init__(
        self,
        files: Sequence[PhotoFile],
        places: NDArray[np.void],
        steps: ImageContract,
        digests: NDArray[np.uint8] | None = None,
        threads: int = 1,
    ) -> None:
        self._files, self._places, self._steps = tuple(files), places, steps
        self._digests = np.zeros((len(places), DIGEST), np.uint8) if digests is None else digests
        self._kept: KeptRows | None = None
        self._numbers = np.full(len(places), NOT_KEPT, np.int32)
        self._at = np.arange(len(places))
        self.threads = threads

    @classmethod
    def open(cls, path: Path, threads: int = 1) -> EncodedImages:
        """What `save` wrote. Raises OSError, ValueError."""
        with np.load(path, allow_pickle=False) as held:
            header = msgspec.json.decode(held["header"].tobytes(), type=_Header)
            images = cls(header.files, held["places"], header.steps, held["digests"], threads)
            images._numbers = held["numbers"]
        if header.kept is not None:
            images._kept = KeptRows(Path(header.kept), images._row_bytes)
        return images

    def save(self, path: Path) -> None:
        """Where the photos are, and their hashes: about 40 bytes for each."""
        kept = None if self._kept is None else str(self._kept.path)
        header = msgspec.json.encode(_Header(self._files, self._steps, kept))
        places, digests, numbers = (array[self._at] for array in (self._places, self._digests, self._numbers))
        with path.open("wb") as file:
            np.savez(
                file,
                header=np.frombuffer(header, np.uint8),
                places=places,
                digests=digests,
                numbers=numbers,
            )

    def keep(self, folder: Path, most: int = MOST) -> None:
        """The rows that are decoded from now on, up to `most` bytes, in a file in `folder`, which whoever
        owns that removes. Raises OSError."""
        self._kept = KeptRows.new(folder, self._row_bytes, most)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the array that it stands for."""
        return (len(self), self._steps.height, self._steps.width, self._steps.channels)

    @property
    def size(self) -> int:
        """Values of that array."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return len(self._at)

    def rows(self, chosen: NDArray[Any] | slice) -> EncodedImages:
        """Those of these numbers, from one to another, or where a mask says so, in that order; nothing is
        decoded."""
        some = copy(self)  # what is known of a photo by now, or later, is known to all
        some._at = self._at[chosen]
        return some

    def __getitem__(self, rows: Any) -> NDArray[np.uint8]:
        numbers = np.arange(len(self))[rows]
        if numbers.ndim == 0:
            (row,) = self[[int(numbers)]]
            return np.asarray(row)
        decoded = np.empty((len(numbers), *self.shape[1:]), np.uint8)

        def fill(at: int) -> None:
            self._fill(int(self._at[numbers[at]]), decoded[at])

        if self.threads > 1 and len(numbers) > 1:
            with ThreadPoolExecutor(min(self.threads, len(numbers))) as pool:
                for _ in pool.map(fill, range(len(numbers))):
                    pass
        else:
            for at in range(len(numbers)):
                fill(at)
        return decoded

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("these images are decoded block by block, and are never one array: ask for rows")

    def photo(self, row: int) -> Image.Image:
        """One of them before the steps of the contract, as data.photo.upright gives it."""
        return self._photo(int(self._at[row]))

    def _photo(self, at: int) -> Image.Image:
        title = self._title(at)
        return upright(title, self._content(at, title))

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self.shape[1:]))

    def _fill(self, at: int, out: NDArray[np.uint8]) -> None:
        if self._kept is not None and self._numbers[at] != NOT_KEPT:
            self._kept.read(int(self._numbers[at]), out)
            return
        out[...] = apply(self._steps, self._photo(at))
        if self._kept is not None:
            self._numbers[at] = self._kept.add(out)

    def _title(self, at: int) -> str:
        place = self._places[at]
        title = self._files[place["file"]].title
        return title if place["record"] == WHOLE else f"{title}: record {place['record']}"

    def _content(self, at: int, title: str) -> bytes:
        place = self._places[at]
        size = int(place["size"])
        if size > LARGEST:
            raise DataError(f"{title} has {size:,} bytes, more than a photo ({LARGEST:,}): remove it")
        try:
            with open(self._files[place["file"]].path, "rb") as file:
                content = os.pread(file.fileno(), size, int(place["offset"]))
        except OSError as error:
            raise DataError(f"{title} cannot be read ({error.strerror}): leave it where it is") from error
        digest = np.frombuffer(hashlib.blake2b(content, digest_size=DIGEST).digest(), np.uint8)
        known = self._digests[at]
        if len(content) != size or (known.any() and not np.array_equal(known, digest)):
            raise DataError(f"{title} has changed while it was in use: run again")
        self._digests[at] = digest
        return content


ImageRows: TypeAlias = NDArray[Any] | EncodedImages
"""Images (N, H, W, C), of which rows are asked for: in memory, mapped from a file, or decoded when asked
for."""


def picked(images: ImageRows, rows: NDArray[Any] | slice) -> ImageRows:
    """Those of these numbers, or from one to another, or where a mask says so; of what is to be decoded,
    without decoding it."""
    return images.rows(rows) if isinstance(images, EncodedImages) else images[rows]
