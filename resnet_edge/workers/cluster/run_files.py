"""Runs on a machine of the cluster. The files of a run there, by content, once for all its processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from resnet_edge.core.files.atomic import name_too
from resnet_edge.workers.hosts.store import Store

KEPT_BYTES = 2 << 30
"""Of files that the last call did not read: so much of a disk, whatever a run reads in all."""
_ATTEMPTS = 3


class FilePart(Protocol):
    """A part of a file, when it is asked for: bytes out of Ray's store of objects."""

    def __call__(self) -> bytes: ...


class RunFiles:
    """In `folder`, which is there."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._store = folder, Store(folder / "files")

    @contextmanager
    def placed(self, reads: Mapping[str, str], parts: Mapping[str, Sequence[FilePart]]) -> Iterator[int]:
        """Have the files whose `parts` are there by digest at the paths of `reads`, digests by path, until
        the block ends; how many bytes had to come for that. Raises OSError, DataError."""
        try:
            yield sum(self._place(Path(path), digest, parts[digest]) for path, digest in reads.items())
        finally:
            for path in reads:
                with suppress(OSError):
                    Path(path).unlink(missing_ok=True)
            self._store.shrink(KEPT_BYTES, spared={*reads.values()})

    def _place(self, path: Path, digest: str, parts: Sequence[FilePart]) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        size, attempt = 0, 0
        while True:
            size += self._arrived(digest, parts)
            try:
                name_too(self._store.path(digest), path)
                return size
            except FileNotFoundError:  # another process made room in between
                attempt += 1
                if attempt == _ATTEMPTS:
                    raise

    def _arrived(self, digest: str, parts: Sequence[FilePart]) -> int:
        """Have a file in the store; how many bytes had to come for that."""
        if self._store.has(digest):
            return 0
        with _alone(self._folder / f"{digest}.lock"):
            if self._store.has(digest):  # another process of this machine was first
                return 0
            arriving, size = self._store.arriving(digest), 0
            try:
                for part in parts:
                    content = part()
                    arriving.add(content)
                    size += len(content)
                arriving.finish()
            except BaseException:
                arriving.discard()
                raise
            return size


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("ab") as lock:
        with suppress(OSError):  # a file system without locks: the file comes twice at worst
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
