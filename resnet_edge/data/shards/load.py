"""Runs in a worker. Shards as photos that are decoded when they are asked for, and their labels."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.core.image_contract import ImageContract, contract
from resnet_edge.data.encoded import PLACE, EncodedImages, PhotoFile
from resnet_edge.data.folder import check_channels, shape_of
from resnet_edge.data.image_set import ImageSet
from resnet_edge.data.shards import parquet, tar, tfrecord
from resnet_edge.data.shards.files import one_kind
from resnet_edge.data.shards.kind import Kind
from resnet_edge.data.shards.record import Record
from resnet_edge.workers.progress import OnProgress, tracked

READERS: dict[Kind, Callable[[Path], Iterator[Record]]] = {
    "tar": tar.records,
    "tfrecord": tfrecord.records,
    "parquet": parquet.records,
}


def load(
    shards: Sequence[Path],
    source: str,
    shape: tuple[int, int, int] | None,
    scratch: Path | None,
    on_progress: OnProgress,
) -> ImageSet:
    """The photos of all shards, in their order, of `shape` (H, W, C), resized as those of a folder are;
    without it, the size of the first. Photos without a place in their file are copied, as they are, into
    `scratch`, or the folder for temporary files. Raises DataError, OutputError, MissingDependency."""
    kind = one_kind(shards)
    index = _Index(scratch or Path(tempfile.gettempdir()))
    for shard in tracked(shards, "shards", len(shards), on_progress):
        index.add(shard, READERS[kind](shard))
    height, width, channels = shape or index.first_shape()
    check_channels(channels)
    steps = contract("pillow", height, width, channels)
    names = parquet.class_names(shards) if kind == "parquet" else ()
    return ImageSet(index.images(steps), index.labels(), names, source, files=tuple(index.names))


class _Index:
    """Where the photos of shards are, as far as they were read."""

    def __init__(self, scratch: Path) -> None:
        self.names: list[str] = []
        self._scratch = scratch
        self._files: list[PhotoFile] = []
        self._places: list[NDArray[np.void]] = []
        self._labels: list[NDArray[np.int64]] = []
        self._unlabelled = ""

    def add(self, shard: Path, records: Iterator[Record]) -> None:
        """All records of a shard. Raises DataError, OutputError."""
        file, places, labels = len(self._files), [], []
        with _Copies(self._scratch, shard) as copies:
            for number, record in enumerate(records):
                offset, size = record.offset, record.size
                if record.content is not None:
                    offset, size = copies.add(record.content), len(record.content)
                places.append((file, number, offset, size))
                labels.append(self._label(record, f"{shard}: record {number}"))
                self.names.append(f"{shard.name}/{record.name or number}")
        if not places:
            raise DataError(f"{shard} holds no photo: leave it out")
        self._files.append(PhotoFile(str(copies.path or shard), str(shard)))
        self._places.append(np.array(places, PLACE))
        self._labels.append(np.array(labels, np.int64))

    def _label(self, record: Record, title: str) -> int:
        if record.label is None:
            self._unlabelled = self._unlabelled or title
            return NONE
        if not 0 <= record.label <= np.iinfo(np.int64).max:
            raise DataError(
                f"{title} has the label {record.label}: number the classes from 0, or write no labels"
            )
        return record.label

    def labels(self) -> NDArray[np.int64] | None:
        """One for each photo; None where none has one. Raises DataError where some have."""
        labels = np.concatenate(self._labels)
        if not self._unlabelled:
            return labels
        if (labels != NONE).any():
            raise DataError(f"{self._unlabelled} has no label, and others have: give each one, or none")
        return None

    def images(self, steps: ImageContract) -> EncodedImages:
        """All photos."""
        return EncodedImages(self._files, np.concatenate(self._places), steps)

    def first_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the first photo. Raises DataError."""
        return shape_of(self.images(contract("pillow", 1, 1, 3)).photo(0))


NONE = -1
"""In place of a label."""


class _Copies:
    """The photos that have no place in their shard, one after the other in a file; none where all have
    one."""

    def __init__(self, folder: Path, shard: Path) -> None:
        self.path: Path | None = None
        self._folder, self._shard = folder, shard
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Copies:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, photo: bytes) -> int:
        """Where it is now. Raises OutputError where there is no room."""
        if self._file is None:
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".copies")
            self.path, self._file = Path(name), open(handle, "wb")  # noqa: SIM115  __exit__ closes it
        free = shutil.disk_usage(self._folder).free
        if len(photo) + PROMISE > free:
            raise OutputError(
                f"the photos of {self._shard} are copied to {self._folder}, where {free:,} bytes are free: "
                f"make room, or name another disk with TMPDIR"
            )
        at = self._file.tell()
        self._file.write(photo)
        return at
