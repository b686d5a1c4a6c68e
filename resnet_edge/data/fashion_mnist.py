"""Fashion-MNIST: Xiao, Rasul, Vollgraf, arXiv:1708.07747; MIT licence; 28x28x1, 10 classes.

The four gzip files are looked for, in this order: a folder that the user names
(`fashion-mnist:FOLDER`), the Keras cache, where Debian's `dataset-fashion-mnist` package
puts them; then they are downloaded into the Keras cache. Nothing is fetched in silence.
The test split also comes with this package and is used unless a folder is named.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import struct
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import DataError
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.core.files.bundled import TEST_FILE, bundled
from resnet_edge.core.machine import available_memory
from resnet_edge.data import npz
from resnet_edge.data.image_set import ImageSet, Split, on_stderr
from resnet_edge.workers.environment import users_keras_home
from resnet_edge.workers.progress import OnProgress, Progress

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
# Of the uncompressed files: gzip headers differ between the places, the data does not.
SHA256 = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def load(split: Split, folder: Path | None = None, on_progress: OnProgress = on_stderr) -> ImageSet:
    """The 60,000 training or 10,000 test images. Raises DataError naming all four places.

    A folder that the user names is taken at its word: it may hold another data set in the
    same four files.
    """
    if split == "test" and folder is None:
        test = npz.load(bundled(TEST_FILE))
        return ImageSet(test.images, test.labels, CLASS_NAMES, "fashion-mnist (test)")
    home = _find(split, folder, on_progress)
    images, labels = (_idx(home / name, rank) for name, rank in zip(FILES[split], (3, 1), strict=True))
    _check_count(home, split, len(images), len(labels))
    if labels.size and labels.max() >= len(CLASS_NAMES):
        raise DataError(
            f"{home} has class {labels.max()} at {split} image {labels.argmax()}, and Fashion-MNIST has "
            f"{len(CLASS_NAMES)}: give another data set as an .npz"
        )
    return ImageSet(images[..., None], labels.astype(np.int64), CLASS_NAMES, f"fashion-mnist ({split})")


def keras_cache() -> Path:
    """Where Keras keeps this data set."""
    return users_keras_home() / "datasets" / "fashion-mnist"


def _find(split: Split, folder: Path | None, on_progress: OnProgress) -> Path:
    if folder is not None:
        missing = [name for name in FILES[split] if not (folder / name).is_file()]
        if missing:
            raise DataError(f"the folder {folder} lacks {' and '.join(missing)}")
        return folder
    for place in (keras_cache(), DEBIAN):
        if all((place / name).is_file() for name in FILES[split]):
            return place
    try:
        return fetch(split, keras_cache(), on_progress)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(
            f"the {split} images of Fashion-MNIST are in none of four places: a folder you name with "
            f"--data fashion-mnist:FOLDER; the Keras cache {keras_cache()}; {DEBIAN} (apt-get install "
            f"dataset-fashion-mnist); a download from {ADDRESS} ({error})"
        ) from error


def fetch(split: Split, folder: Path, on_progress: OnProgress) -> Path:
    """Download the two files of `split` into `folder`, telling `on_progress` first. Raises OSError,
    HTTPException, or DataError where what comes is not the data set."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES[split]:
        on_progress(Progress(step="download", note=f"downloading {ADDRESS}{name} to {folder}", line=True))
        with urllib.request.urlopen(ADDRESS + name, timeout=60) as answer:
            content = answer.read()
        if hashlib.sha256(_unzipped(content, ADDRESS + name)).hexdigest() != SHA256[name]:
            raise DataError(f"{ADDRESS}{name} is not the file that belongs to Fashion-MNIST: try again later")
        write_whole(folder / name, content)
    return folder


def look(split: Split, folder: Path) -> tuple[int, ...]:
    """The shape (N, H, W) of the images of `split` in a folder that the user names, by the first bytes of the
    files. Raises DataError where they do not fit the labels, or what is to be unpacked fits nowhere."""
    shapes = []
    home = _find(split, folder, on_stderr)
    for name, rank in zip(FILES[split], (3, 1), strict=True):
        with _reading(home / name), (home / name).open("rb") as stream:
            shapes.append(_Unpacked(stream, rank).shape)
    images, labels = shapes
    _check_count(home, split, images[0], labels[0])
    if 0 in images:
        raise DataError(f"{home} holds no image")
    return images


def _check_count(home: Path, split: Split, images: int, labels: int) -> None:
    if images != labels:
        raise DataError(f"{home} holds {images} {split} images and {labels} labels that do not fit them")


_BLOCK = 1 << 20
"""Bytes of a file that are unpacked together."""
_DENSEST = 1032
"""Bytes that a byte of deflate can become at most (https://zlib.net/zlib_tech.html)."""


class _Unpacked:
    """A gzipped IDX file of bytes with `rank` dimensions (http://yann.lecun.com/exdb/mnist: two zeros, the
    type 8, the rank, big-endian sizes, the bytes). The sizes are read first, and no more is read or unpacked
    than these need. Raises ValueError, struct.error, zlib.error, OSError."""

    def __init__(self, stream: BinaryIO, rank: int) -> None:
        self._stream, self._unpacker = stream, zlib.decompressobj(wbits=31)  # gzip
        length, head = 4 + 4 * rank, b""
        while len(head) < length and (block := self._next()):
            head += self._unpacker.decompress(block, length - len(head))
        if head[:4] != bytes((0, 0, 8, rank)):
            raise ValueError(f"it is no IDX file of rank {rank}")
        self.shape: tuple[int, ...] = struct.unpack_from(f">{rank}I", head, 4)
        self._size = prod(self.shape)
        held, memory = os.fstat(stream.fileno()).st_size, available_memory()
        if self._size > _DENSEST * held:
            raise ValueError(f"it declares {self._size:,} bytes, and has {held:,}, which cannot hold them")
        if memory is not None and self._size > max(PROMISE, memory):
            raise ValueError(f"it declares {self._size:,} bytes, and {memory:,} of memory are free")

    def values(self) -> NDArray[np.uint8]:
        """All of them, in the shape."""
        pixels, done = np.empty(self._size, np.uint8), 0
        while not self._unpacker.eof and (block := self._next()):
            values = self._unpacker.decompress(block, min(_BLOCK, self._size - done + 1))
            if done + len(values) > self._size:
                break
            pixels[done : done + len(values)] = np.frombuffer(values, np.uint8)
            done += len(values)
        if not self._unpacker.eof or done < self._size:
            raise ValueError("it is cut off, or holds more than it declares")
        return pixels.reshape(self.shape)

    def _next(self) -> bytes:
        return self._unpacker.unconsumed_tail or self._stream.read(_BLOCK)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Within, what goes wrong is a DataError."""
    try:
        yield
    except (OSError, ValueError, struct.error, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}): remove it and run again") from error


def _idx(path: Path, rank: int) -> NDArray[np.uint8]:
    with _reading(path), path.open("rb") as stream:
        return _Unpacked(stream, rank).values()


def _unzipped(content: bytes, source: str) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source} is damaged ({error}): remove it and run again") from error
