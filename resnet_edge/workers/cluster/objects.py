"""Runs beside the parent, where Ray may be imported. Files in the cluster's store of objects, by content."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray

from resnet_edge.core.errors import DataError

PART = 64 << 20
"""Bytes of a file in one object: Ray spills objects to disk one by one, and a machine holds one at a time."""
KEPT_BYTES = 2 << 30
"""Of files that no call needs now. Models are needed again soon, images only by the next artifact: what was
not needed longest goes first."""


@dataclass(kw_only=True)
class _Stored:
    parts: list[Any]
    size: int
    users: int = 0


class Objects:
    """Each file is put there once while calls need it, and as long afterwards as `kept_bytes` hold it."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._stored: OrderedDict[str, _Stored] = OrderedDict()  # what was needed last is last
        self._lock = threading.Lock()

    @contextmanager
    def of(self, files: Mapping[str, str]) -> Iterator[dict[str, list[Any]]]:
        """The parts of `files`, which are paths by digest; until the block ends they stay. Raises
        DataError."""
        held: list[_Stored] = []
        try:
            refs = {}
            for digest, file in files.items():
                with self._lock:
                    stored = self._put(digest, file)
                    stored.users += 1
                held.append(stored)
                refs[digest] = stored.parts
            yield refs
        finally:
            with self._lock:
                for stored in held:
                    stored.users -= 1
                self._make_room()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return sum(one.size for one in self._stored.values())

    def _put(self, digest: str, file: str) -> _Stored:
        if digest not in self._stored:
            try:
                puts = [(ray.put(part), part.nbytes) for part in parts(file)]
            except OSError as error:
                raise DataError(
                    f"{file} cannot be read ({error.strerror or error}): it goes to the cluster, and must "
                    "stay where it is"
                ) from error
            size = sum(nbytes for _, nbytes in puts)
            self._stored[digest] = _Stored(parts=[ref for ref, _ in puts], size=size)
        self._stored.move_to_end(digest)
        return self._stored[digest]

    def _make_room(self) -> None:
        """Ray frees an object with the last reference to it."""
        idle = [digest for digest, one in self._stored.items() if not one.users]
        excess = sum(self._stored[digest].size for digest in idle) - self._kept_bytes
        for digest in idle:
            if excess <= 0:
                break
            excess -= self._stored.pop(digest).size


def parts(file: str) -> Iterator[Any]:
    """The content of `file`, uint8 of PART bytes each, of which the last has fewer. Raises OSError."""
    with open(file, "rb") as stream:
        while block := stream.read(PART):
            yield np.frombuffer(block, np.uint8)  # which Ray gives out of its store without a copy
