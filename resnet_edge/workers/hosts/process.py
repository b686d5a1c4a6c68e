"""A worker on a host, seen from the parent: as `workers.process.WorkerProcess`, with ssh between."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import (
    KINDS,
    DataError,
    HostUnavailable,
    OutputError,
    ResnetEdgeError,
    UsageError,
    WorkerFailed,
)
from resnet_edge.core.files.atomic import hidden, take_name
from resnet_edge.hosts.address import Host
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.hosts import frames
from resnet_edge.workers.hosts.carried import Carried
from resnet_edge.workers.hosts.connection import Connection
from resnet_edge.workers.hosts.frames import HostReply, HostRequest
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.task import Task

T = TypeVar("T")


class HostProcess:
    """Use as a context manager; leaving ends what runs there.

    What `WorkerProcess` says of itself holds; the folders of `grant` are of this machine, and on the host a
    worker writes in a folder of its own alone. Raises HostUnavailable where the host is not reached, not
    prepared, or has other code.
    """

    def __init__(self, name: str, log: Path, host: Host, grant: Grant = NOTHING) -> None:
        self.name, self.log, self.host = name, log, host
        self.peak_bytes, self.cpu_seconds = 0, 0.0
        self._grant = grant
        self._lock = threading.Lock()
        self._closed = False
        self._connection = Connection(host, log)

    def run(self, task: Task[T], on_progress: OnProgress = silent) -> T:
        """Do `task` on the host, with the files that it reads, and bring what it writes. Raises as
        WorkerProcess.run, and HostUnavailable where the host goes away."""
        carried = Carried.of(task, PurePosixPath(self._connection.greeting.folder))
        with self._lock:
            try:
                digests = self._brought(carried)
                answer = self._called(task, carried, digests, on_progress)
            except ResnetEdgeError:
                raise
            except BaseException:  # interrupted: what still comes would be taken for the next answer
                self.close()
                raise
        return self._read(answer, carried, task.reply_type())

    def _brought(self, carried: Carried) -> dict[str, str]:
        """The digest of each file by its path there; all of them are there now."""
        digests = {here: digest_of(here) for here in carried.reads}
        files = {digest: here for here, digest in digests.items()}
        if files:
            # Many workers of one host would bring the same file at once.
            with _lock_of(self.host):
                self._connection.send(HostRequest(order="have", digests=[*files]))
                missing = self._end().missing or []
                if not files.keys() >= {*missing}:
                    raise self._connection.no_answer()
                for digest in dict.fromkeys(missing):
                    self._bring(digest, files[digest])
        return {there: digests[here] for here, there in carried.reads.items()}

    def _bring(self, digest: str, file: str) -> None:
        with reading(file), open(file, "rb") as stream:
            for block, last in frames.parts(stream):
                self._connection.send(HostRequest(order="file", digests=[digest], last=last), block)
        self._end()

    def _called(
        self, task: Task[T], carried: Carried, digests: dict[str, str], on_progress: OnProgress
    ) -> HostReply:
        try:
            order = HostRequest(
                order="call",
                name=self.name,
                function=task.runs,
                request=carried.request(task),
                reads=digests,
                writes=[*carried.writes.values()],
                free=self._grant.free,
                network=self._grant.network,
            )
            self._connection.send(order)
        except UnicodeEncodeError as error:
            raise UsageError(f"a name is not valid UTF-8 ({error.object!r}): rename the file") from error
        return self._answered(carried, on_progress)

    def _answered(self, carried: Carried, on_progress: OnProgress) -> HostReply:
        """The end of a call. Raises OutputError where a file cannot be written here, once all came."""
        here = {there: Path(path) for path, there in carried.writes.items()}
        parts: dict[str, Path] = {}
        lost: OutputError | None = None
        try:
            for answer, payload in self._connection.answers():
                if answer.progress is not None:
                    on_progress(answer.progress)
                elif answer.written is None:
                    break
                elif lost is None:
                    lost = self._written(answer, payload, here, parts)
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)
        if lost is not None:
            raise lost
        return answer

    def _written(
        self, answer: HostReply, payload: bytes, here: dict[str, Path], parts: dict[str, Path]
    ) -> OutputError | None:
        """A part of a file, which has its name when it is whole, and what keeps it from that. Raises
        WorkerFailed for one that the task does not declare."""
        name = answer.written or ""
        if name not in here:
            raise WorkerFailed(f"{self.name} on {self.host.name} sent a file that nobody asked for")
        part = parts.setdefault(name, hidden(here[name]))
        try:
            with part.open("ab") as stream:
                stream.write(payload)
            if answer.last:
                take_name(part, here[name])
                del parts[name]
        except OSError as error:
            return OutputError(f"{here[name]} cannot be written ({error.strerror}): make room there")
        return None

    def _end(self) -> HostReply:
        """The end of an order that is no call. Raises what the host says."""
        answer = next(answer for answer, _ in self._connection.answers())
        if answer.error is not None:
            raise _kind(answer.error)(f"{self.host.name}: {answer.text}")
        return answer

    def _read(self, answer: HostReply, carried: Carried, reply: type[T]) -> T:
        self.peak_bytes = max(self.peak_bytes, answer.peak_bytes)
        self.cpu_seconds = max(self.cpu_seconds, answer.cpu_seconds)
        if answer.log:
            with self.log.open("a", encoding="utf-8") as stream:
                stream.write(answer.log)
        if answer.error is not None:
            text = carried.error(answer.text, self.log if answer.log else None)
            raise _kind(answer.error)(f"on {self.host.name}: {text}")
        return carried.result(answer.reply, reply, f"{self.name} on {self.host.name}", self.log)

    def close(self) -> None:
        """End what runs on the host."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def __enter__(self) -> HostProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_locks: dict[Host, threading.Lock] = {}
_digests: dict[tuple[str, int, int, int], str] = {}
_guard = threading.Lock()


def _kind(error: str) -> type[ResnetEdgeError]:
    """A full disk there ends what is done there, and nothing here."""
    kind = KINDS.get(error, ResnetEdgeError)
    return HostUnavailable if kind is OutputError else kind


def _lock_of(host: Host) -> threading.Lock:
    with _guard:
        return _locks.setdefault(host, threading.Lock())


def digest_of(path: str) -> str:
    """SHA-256 of a file, which is read once as long as it is the same one. Raises DataError."""
    with reading(path):
        state = os.stat(path)
        key = (os.path.abspath(path), state.st_size, state.st_mtime_ns, state.st_ino)
        if key not in _digests:
            _digests[key] = sha256_of(Path(path))
        return _digests[key]


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Raises DataError where the file cannot be read, as one that was taken away meanwhile."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}): it goes to a host, and must stay where it is"
        ) from error
