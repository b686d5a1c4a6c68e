"""On a host: files by their content, so that what was brought once is not brought again."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.atomic import take_name

KEPT_SECONDS = 30 * 24 * 3600.0
"""What was not asked for so long goes: a month, as build caches have it."""
ARRIVES_SECONDS = 60.0
"""A file of which nothing came in this time does not arrive any more."""
_PART = ".part"
CLOCK = ".now"
"""A file that is touched to know what time it is there."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def place() -> Path:
    """Where it is (the XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "resnet-edge" / "host"


class Store:
    """The files in `folder`, which is made with the first. Raises OSError where there is no room."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the file of this SHA-256 is, or would be. Raises DataError where it is none."""
        if not _DIGEST.fullmatch(digest):
            raise DataError(f"{digest[:80]!r} is no SHA-256: run the same version on both machines")
        return self._folder / digest[:2] / digest

    def has(self, digest: str) -> bool:
        """Whether it is there; then it stays for now."""
        path = self.path(digest)
        with suppress(OSError):
            os.utime(path)
            return path.is_file()
        return False

    def arriving(self, digest: str) -> Arriving:
        """A file that comes in parts."""
        self.path(digest).parent.mkdir(parents=True, exist_ok=True)
        return Arriving(self, digest)

    def sweep(self) -> None:
        """Remove what nobody asked for in a long time, and what never arrived whole."""
        oldest = self._now() - KEPT_SECONDS
        for file in self._folder.glob("??/*"):
            with suppress(OSError):
                if file.stat().st_mtime < oldest:
                    file.unlink()

    def _now(self) -> float:
        """By the clock that gives files their times: that of a file server is not the one of this machine."""
        mark = self._folder / CLOCK
        try:
            mark.touch()
            return mark.stat().st_mtime
        except OSError:  # a full disk
            return time.time()

    def make_room(self) -> bool:
        """Remove the file that was not asked for longest, but for what arrives now; whether there was one."""
        files, arriving_since = [], self._now() - ARRIVES_SECONDS
        for file in self._folder.glob("??/*"):
            with suppress(OSError):
                changed = file.stat().st_mtime
                if file.suffix != _PART or changed < arriving_since:
                    files.append((changed, file))
        for _, file in sorted(files)[:1]:
            with suppress(OSError):
                file.unlink()
                return True
        return False

    def shrink(self, most: int, spared: Collection[str]) -> None:
        """Beside the digests that are `spared`, keep at most so many bytes: what was not asked for longest
        goes."""
        files = []
        for file in self._folder.glob("??/*"):
            with suppress(OSError):
                if file.suffix != _PART and file.name not in spared:
                    files.append((file.stat().st_mtime, file.stat().st_size, file))
        size = sum(one for _, one, _ in files)
        for _, one, file in sorted(files):
            if size <= most:
                break
            with suppress(OSError):
                file.unlink()
                size -= one


class Arriving:
    """A file on its way, which has its name when all of it is there and is what it was said to be."""

    def __init__(self, store: Store, digest: str) -> None:
        self._store, self._path, self._digest, self._hash = (
            store,
            store.path(digest),
            digest,
            hashlib.sha256(),
        )
        self._part = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}{_PART}")
        self._stream = self._part.open("xb", buffering=0)  # what was written of a part is known

    def add(self, content: bytes) -> None:
        """What was not asked for longest makes room. Raises OSError."""
        done = 0
        while done < len(content):
            try:
                done += self._stream.write(content[done:])
            except OSError:
                if not self._store.make_room():
                    raise
        self._hash.update(content)

    def finish(self) -> None:
        """Raises OSError; DataError where what arrived is another file."""
        os.fsync(
            self._stream.fileno()
        )  # a machine that is switched off keeps the name, and not what is in it
        self._stream.close()
        if self._hash.hexdigest() != self._digest:
            self.discard()
            raise DataError("a file was changed while it was copied: run again when nothing writes to it")
        take_name(self._part, self._path)

    def discard(self) -> None:
        """It did not arrive."""
        self._stream.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
