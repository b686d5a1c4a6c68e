"""Decoded photos that are kept for whoever asks for them next, in a file of bounded size: to decode a few
thousand again for each runtime and each epoch takes longer than many a network, and all of a large set would
not fit."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import DataError

MOST = 1 << 29
"""Bytes of such a file: 3,566 photos of 224x224x3, or all of most sets of smaller ones. The folder for
temporary files may be memory."""
NOT_KEPT = -1


class KeptRows:
    """Rows of `row_bytes` each in the file `path`; `most` bytes of them are ever added."""

    def __init__(self, path: Path, row_bytes: int, most: int = 0) -> None:
        self.path = path
        self._row_bytes, self._room = row_bytes, most // max(1, row_bytes)
        self._count, self._lock = 0, threading.Lock()

    @classmethod
    def new(cls, folder: Path, row_bytes: int, most: int = MOST) -> KeptRows:
        """A file in `folder`, smaller where the disk has not much room. Raises OSError."""
        handle, name = tempfile.mkstemp(dir=folder, suffix=".pixels")
        os.close(handle)
        return cls(Path(name), row_bytes, max(0, min(most, shutil.disk_usage(folder).free - PROMISE)))

    def add(self, row: NDArray[np.uint8]) -> int:
        """Its number; NOT_KEPT where there is no room."""
        with self._lock:
            number = self._count
            if number >= self._room:
                return NOT_KEPT
            self._count += 1
        try:
            with self.path.open("r+b") as file:
                whole = os.pwrite(file.fileno(), row.tobytes(), number * self._row_bytes) == self._row_bytes
        except OSError:  # the disk is full, by others: what is not kept is decoded again
            whole = False
        if not whole:
            self._room = 0
        return number if whole else NOT_KEPT

    def read(self, number: int, out: NDArray[np.uint8]) -> None:
        """One that was added, to `out`. Raises DataError."""
        try:
            with self.path.open("rb") as file:
                content = os.pread(file.fileno(), self._row_bytes, number * self._row_bytes)
        except OSError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror}): run again") from error
        if len(content) != self._row_bytes:
            raise DataError(f"{self.path} was cut off while it was in use: run again")
        out[...] = np.frombuffer(content, np.uint8).reshape(out.shape)
