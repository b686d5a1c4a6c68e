"""Runs in the parent. What trials share, each made once, by whichever process comes first.

A folder beside the study with one folder for each thing, named by a hash of everything that decides what it
is. What is being made is in a folder of another name under a lock, which goes with the process: who comes
after one that was killed goes on in its folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from resnet_edge.core.errors import DataError, OutputError, first_line
from resnet_edge.core.files.atomic import take_name, write_whole
from resnet_edge.core.files.documents import read_json
from resnet_edge.searching.turn import Turn

T = TypeVar("T")
AGAIN = 0.1
"""Seconds between two looks at a lock that another has."""
REPLY = "reply.json"
HERE = "/in this folder"
"""In a reply, for the path of its own folder."""
FIX = "remove the folder, and it is made again"


class SearchStore:
    """In `folder`, which is made; `owner` is a file of which this process holds the lock as long as the store
    is open. Who waits in it leaves its `turn`. Use as a context manager. Raises OutputError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = folder / "processes" / secrets.token_hex(8)
        self.turn = Turn()
        self._lock: int | None = None

    def __enter__(self) -> SearchStore:
        try:
            self.owner.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.owner, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise self._refused(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.owner.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)

    def once(self, kind: str, key: Any, reply: type[T], make: Callable[[Path], T]) -> tuple[Path, T]:
        """The folder of a thing that `key` decides, and what `make` gave when it made it, in a folder that it
        is given, which has another name by now: paths in the reply follow. Raises what `make` raises."""
        name = digest(key)
        folder = self.folder / kind / name
        if not folder.is_dir():
            with self.alone(kind, name):
                if not folder.is_dir():
                    self._make(folder, make)
        text = read_json(folder / REPLY, str, "part of a study", FIX).replace(HERE, _spelled(folder))
        try:
            return folder, msgspec.json.decode(text, type=reply)
        except msgspec.DecodeError as error:
            raise DataError(f"{folder / REPLY} is no part of a study ({first_line(error)}): {FIX}") from error

    def _make(self, folder: Path, make: Callable[[Path], T]) -> None:
        new = folder.with_name(f"{folder.name}.new")
        try:
            new.mkdir(parents=True, exist_ok=True)
            thing = make(new)
            text = msgspec.json.encode(thing).decode().replace(_spelled(new), HERE)
            write_whole(new / REPLY, msgspec.json.encode(text))
            take_name(new, folder)
        except OSError as error:
            raise self._refused(error) from error

    @contextmanager
    def alone(self, kind: str, name: str) -> Iterator[None]:
        """Within, no other process of the study, and no other trial of this one, works on the same; waits for
        who does. Raises OutputError."""
        try:
            (self.folder / kind).mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / kind / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._refused(error) from error
        try:
            if not _locked(lock):
                with self.turn.waiting():
                    while not _locked(lock):
                        self.turn.pause(AGAIN)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Within, no other process of the study measures latency, and nothing else of this search runs."""
        with self.alone("processes", "latency"):
            self.turn.alone()
            yield

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.folder} cannot be written ({error.strerror}): make room there, or name another --study"
        )


def _locked(lock: int) -> bool:
    """Whether the lock of an open file is had now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spelled(folder: Path) -> str:
    """A path as it stands within a text of JSON."""
    return msgspec.json.encode(str(folder)).decode()[1:-1]


def digest(key: Any) -> str:
    """The same for equal values, of which JSON can be made."""
    return hashlib.sha256(msgspec.json.encode(key, order="deterministic")).hexdigest()[:24]
