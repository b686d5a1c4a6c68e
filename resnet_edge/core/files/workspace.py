"""Runs in the parent. Where a run writes, so that nothing looks finished before it is."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from resnet_edge.core.errors import OutputError, WorkerFailed
from resnet_edge.core.files.alone import alone
from resnet_edge.core.files.atomic import hidden, take_name, with_final_names
from resnet_edge.core.files.overwrite import (
    DOCUMENTS,
    Writer,
    check_apart,
    check_new_folder,
    check_replaceable,
)
from resnet_edge.core.files.scratch import OWNER, Scratch, claim, sweep
from resnet_edge.core.interrupts import uninterrupted

LEAST_FREE = 1 << 20
"""Bytes. A disk with less is called full: what was written last did not fit it."""


class Workspace:
    """A hidden folder beside the output folder DIR, renamed to it at the end.

    `folder` takes what the user gets, `scratch` what nobody keeps. `logs` is DIR.logs from the
    beginning, so that a message can name a log where it will still be; it goes away unless a
    worker failed. With `overwrite`, what a run of the command `writer` left at DIR stays there until the
    new folder is whole; `inputs` are what the run reads, and DIR may be none of them and hold none. The
    constructor refuses, with OutputError or UsageError, what can be refused at once; use the rest as a
    context manager: leaving it removes what was not published.
    """

    folder: Path
    scratch: Path

    def __init__(
        self, out: Path, *, writer: Writer = "convert", overwrite: bool = False, inputs: Iterable[Path] = ()
    ) -> None:
        check_new_folder(out)
        check_apart("--out", out, inputs)
        self.out, self._writer, self._overwrite = out, writer, overwrite
        self.partial = out.with_name(f"{out.name}.partial")
        self.logs = out.with_name(f"{out.name}.logs")
        self._folders: list[Path] = []
        self._keep_logs = False
        self._scratch: Scratch | None = None
        self._lock: int | None = None
        self._alone: int | None = None
        try:
            check_replaceable(out, writer, overwrite)
            _check_parent(out)
            _check_ours(self.partial, [self.partial / DOCUMENTS[writer]])
            _check_ours(self.logs, [*self.logs.glob("*.log")])
        except OSError as error:
            raise _refused(out, error) from error

    def __enter__(self) -> Workspace:
        try:
            self.logs.mkdir(exist_ok=True)
            self._alone = alone(self.logs, self.out)
            self._folders.append(self.logs)
            for log in self.logs.iterdir():
                log.unlink()
            self._clear_up()
            # mkdir and not mkdtemp, which ignores the umask: this folder becomes the user's.
            self.folder = self._make(hidden(self.out))
            self._lock = claim(self.folder)
            self._scratch = Scratch()
            self.scratch = self._scratch.path
        except BaseException as error:
            self._remove()
            if isinstance(error, OSError):
                raise _refused(self.out, error) from error
            raise
        return self

    def _clear_up(self) -> None:
        """What a run that was killed has left: its folder, and what it was about to replace, which goes back
        where nothing had taken its place. Raises OSError."""
        sweep(self.out.parent, f".{self.out.name}.", ".unfinished")
        for old in self.out.parent.glob(f".{glob.escape(self.out.name)}.{'[0-9a-f]' * 8}.replaced"):
            try:
                check_replaceable(old, self._writer, overwrite=True)
            except OutputError:  # another's, under such a name
                continue
            if os.path.lexists(self.out):
                shutil.rmtree(old, ignore_errors=True)
            else:
                take_name(old, self.out)
                check_replaceable(self.out, self._writer, self._overwrite)

    def _make(self, folder: Path) -> Path:
        folder.mkdir()
        self._folders.append(folder)
        return folder

    def scratch_folder(self, name: str) -> Path:
        """A new folder below the scratch folder. Raises OutputError."""
        folder = self.scratch / name
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            self.check_space()
            raise OutputError(f"{folder} cannot be made: {error.strerror}; name another TMPDIR") from error
        return folder

    def write(self, name: str, text: str) -> None:
        """Write a text file for the user. Raises OutputError."""
        try:
            (self.folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            self.check_space()
            raise OutputError(f"{name} cannot be written beside {self.out}: {error.strerror}") from error

    def adopt(self, file: Path) -> Path:
        """Take a file for the user, in place of one of that name; return where it is. Raises OutputError."""
        to = self.folder / file.name
        try:
            shutil.copyfile(file, to)
        except OSError as error:
            self.check_space()
            raise OutputError(f"{file.name} cannot be written beside {self.out}: {error.strerror}") from error
        return to

    def check_space(self) -> None:
        """Raise OutputError where a disk is full: most libraries just die of that, each in its own way."""
        for folder, fix in (
            (self.scratch, "name another folder with TMPDIR"),
            (self.folder, "choose another --out"),
        ):
            with suppress(OSError):
                if shutil.disk_usage(folder).free < LEAST_FREE:
                    raise OutputError(f"no space left on the disk of {folder.parent}: free some, or {fix}")

    def publish(self) -> Path:
        """Give the finished folder its name, in place of an earlier one if so asked. Raises OutputError."""
        if not self._overwrite or not self.out.exists():
            return self._rename(self.out)
        old = self.out.with_name(f".{self.out.name}.{secrets.token_hex(4)}.replaced")
        with uninterrupted():
            try:
                check_replaceable(self.out, self._writer, overwrite=True)  # it had hours to change
                take_name(self.out, old)
                self._rename(self.out)
            except OSError as error:
                raise _refused(self.out, error) from error
            finally:
                if old.exists() and not self.out.exists():  # it failed
                    take_name(old, self.out)
        shutil.rmtree(old, ignore_errors=True)
        return self.out

    def publish_partial(self) -> Path:
        """Give what there is a name that says so, and keep the logs; replaces an earlier one."""
        shutil.rmtree(self.partial, ignore_errors=True)
        self._keep_logs = True
        return self._rename(self.partial)

    def _rename(self, to: Path) -> Path:
        try:
            with uninterrupted():
                take_name(self.folder, to)
                # Last: a folder without it would be nobody's if the run was killed in between.
                (to / OWNER).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot give the finished folder the name {to} ({error.strerror}): remove what is there"
            ) from error
        return to

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._keep_logs or isinstance(error, WorkerFailed):
            self._folders.remove(self.logs)
        self._remove()

    def _remove(self) -> None:
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        if self._scratch is not None:
            self._scratch.remove()
        for lock in (self._lock, self._alone):
            if lock is not None:
                os.close(lock)


def _check_parent(out: Path) -> None:
    parent = out.parent
    if parent.exists() and not parent.is_dir():
        raise OutputError(f"--out {out} is below {parent}, which is a file: choose another")
    if not parent.is_dir():
        raise OutputError(f"the folder {parent} for --out does not exist: make it first")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {parent} for --out is not writable: choose another")


def _check_ours(place: Path, expected: list[Path]) -> None:
    """Refuse to replace what another run has not left there; `expected` is what one leaves."""
    there = [*place.iterdir()] if place.is_dir() else []
    if (
        place.is_symlink()
        or (place.exists() and not place.is_dir())
        or (there and not any(map(Path.is_file, expected)))
    ):
        raise OutputError(
            f"{place} is in the way, and no run of ours made it: move it or choose another --out"
        )


def _refused(out: Path, error: OSError) -> OutputError:
    where = str(error.filename or out)
    where = with_final_names(where, Path(where).parts)
    return OutputError(f"cannot write {where}: {error.strerror or error}; choose another --out")
