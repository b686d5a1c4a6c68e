"""Folders of a run that leave nothing behind, however the run ends.

Each holds a lock file, whose lock goes with the process that made it, kill -9 included. Whoever makes a
folder afterwards removes those whose lock is free. What has no such file is not ours, and stays.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from resnet_edge.core.files.atomic import take_name
from resnet_edge.core.interrupts import uninterrupted

PREFIX = "resnet-edge-"
OWNER = ".resnet-edge-owner"
"""The lock file. It comes into the folder locked, and goes last."""

KEPT = ".kept"

_swept: set[Path] = set()
_live: list[Scratch] = []


class Scratch:
    """A new folder below `within` (None: the system's folder for temporary files). Raises OSError."""

    def __init__(self, within: Path | None = None) -> None:
        place = Path(tempfile.gettempdir()) if within is None else within
        if place not in _swept:
            _swept.add(place)
            sweep(place)
        self._lock: int | None = None
        self._removing = threading.Lock()
        with uninterrupted():
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            _live.append(self)  # an interrupt can hit before anybody holds it who would remove it
            self._lock = claim(self.path)

    def remove(self) -> None:
        """Remove it, unless it was kept. Of several threads (one hears that another process of a training
        is lost, while this one ends) the first does it, and the others wait."""
        with self._removing:
            if self._lock is not None:
                self._remove(self._lock)

    def _remove(self, lock: int) -> None:
        if (self.path / KEPT).exists():
            (self.path / KEPT).unlink()
        else:
            try:
                remove(self.path)
            except BaseException:  # an interrupt, which comes once
                remove(self.path)
                raise
        with uninterrupted():  # what runs at exit must not close it again
            os.close(lock)
            self._lock = None
        with suppress(ValueError):
            _live.remove(self)


@atexit.register
def _remove_all() -> None:
    for scratch in [*_live]:
        scratch.remove()


@contextmanager
def scratch_folder(within: Path | None = None) -> Iterator[Path]:
    """A folder that goes away on leaving. Raises OSError."""
    scratch = Scratch(within)
    try:
        yield scratch.path
    finally:
        scratch.remove()


def keep(folder: Path) -> None:
    """Leave the folder of a Scratch to the user: nothing removes it any more. Raises OSError."""
    (folder / KEPT).touch()
    (folder / OWNER).unlink(missing_ok=True)


def sweep(place: Path, begin: str = PREFIX, end: str = "") -> None:
    """Remove what runs that were killed have left in `place`, under names that begin and end so; what cannot
    be removed stays."""
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            named = entry.name.startswith(begin) and entry.name.endswith(end)
            if named and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    _sweep_one(Path(entry.path))


def _sweep_one(folder: Path) -> None:
    if folder.stat().st_uid != os.geteuid():  # the superuser may remove what others own, and need not
        return
    lock = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder)
    finally:
        os.close(lock)


def remove(folder: Path) -> None:
    """Remove a folder, its lock file last, so that what is left of it is still known as ours."""
    left = False
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.name == OWNER:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                with suppress(OSError):
                    entry.unlink()
            left = left or entry.is_symlink() or entry.exists()
    if not left:
        shutil.rmtree(folder, ignore_errors=True)


def claim(folder: Path) -> int:
    """Make a folder known as that of this process; give the lock's descriptor, to be kept open as long.

    The lock file has another name until it is locked: a sweep would take it else. Raises OSError.
    """
    new = folder / f"{OWNER}.new"
    lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks: nobody can tell whose it is, so it is never swept
        new.unlink()
    else:
        take_name(new, folder / OWNER)
    return lock
