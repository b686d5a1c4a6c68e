"""The files that a task names, as paths here and on a host."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec

from resnet_edge.core.errors import UsageError, WorkerFailed
from resnet_edge.workers.task import Task

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Carried:
    """`reads` are files that are here and go there, `writes` those that come back: paths here, and there.

    A file has the same path there, below a folder of the host, so that those which belong to each other find
    each other.
    """

    reads: Mapping[str, str]
    writes: Mapping[str, str]

    @classmethod
    def of(cls, task: Task[Any], folder: PurePosixPath) -> Carried:
        """What `task` declares, in `folder` of the host. A word that names no file is no path and stays as
        it is. Raises UsageError for a folder: only files are carried."""
        reads = [text for text in task.files_read() if _is_file(text)]
        return cls(
            reads=_there(reads, folder / "in"),
            writes=_there(task.files_written(), folder / "out"),
        )

    def request(self, task: Task[Any]) -> Any:
        """The task as builtins, with the paths of the host in the fields that it declares."""
        value = msgspec.to_builtins(task)
        for names, paths in ((task.reads, self.reads), (task.writes, self.writes)):
            for name in names:
                value = _replaced(value, name.split("."), paths)
        return value

    def reply(self, value: Any) -> Any:
        """What the host replied, with the paths of this machine."""
        if isinstance(value, str):
            return self._here(value)
        if isinstance(value, dict):
            return {key: self.reply(item) for key, item in value.items()}
        return [self.reply(item) for item in value] if isinstance(value, list) else value

    def spelled(self, text: str) -> str:
        """A message of the host's, with the paths of this machine; the longest first, as one may begin
        another."""
        for there, here in sorted(self._back.items(), key=lambda item: -len(item[0])):
            text = text.replace(there, here)
        return text

    def error(self, text: str, log: Path | None) -> str:
        """What is said of what went wrong there; `log` is the one of this machine where it has the rest."""
        spelled = self.spelled(text)
        return spelled if log is None else spelled.partition(" (full log: ")[0] + f" (full log: {log})"

    def result(self, reply: Any, kind: type[T], worker: str, log: Path) -> T:
        """What a task gave there. Raises WorkerFailed where that is none of `kind`."""
        try:
            return msgspec.convert(self.reply(reply), type=kind)
        except msgspec.ValidationError as error:
            raise WorkerFailed(f"{worker} sent no {kind.__name__}: {error} (full log: {log})") from error

    def _here(self, text: str) -> str:
        if (known := self._back.get(text)) is not None:
            return known
        inside = (
            here + text.removeprefix(there)  # in a folder that the task writes
            for here, there in self.writes.items()
            if text.startswith(f"{there}/")
        )
        return next(inside, text)

    @property
    def _back(self) -> dict[str, str]:
        return {there: here for paths in (self.reads, self.writes) for here, there in paths.items()}


def _is_file(text: str) -> bool:
    try:
        path = Path(text)
        if path.is_dir():
            raise UsageError(f"{text} is a folder, and only files are carried to a host: do this one here")
        return path.is_file()
    except (OSError, ValueError):  # a name that is longer than any, or has a character of code 0
        return False


def _there(paths: Iterable[str], folder: PurePosixPath) -> dict[str, str]:
    return {text: f"{folder}{os.path.abspath(text)}" for text in paths}


def _replaced(value: Any, names: list[str], paths: Mapping[str, str]) -> Any:
    if isinstance(value, list | tuple):
        return [_replaced(item, names, paths) for item in value]
    if names and value is not None:
        return {**value, names[0]: _replaced(value[names[0]], names[1:], paths)}
    return paths.get(value, value) if isinstance(value, str) else value
