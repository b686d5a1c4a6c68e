"""Runs on a host. The other end of `connection`: a worker of this machine, with files of another.

It ends with the connection: when its stdin does, or when nothing came for SILENCE seconds, as from a machine
that was switched off. What it started ends with it, and its folder goes; also where nobody takes its answers,
on which it would wait for as long as the system keeps the connection.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from resnet_edge import __version__
from resnet_edge.core.errors import OutputError, ResnetEdgeError, UsageError, WorkerFailed, first_line
from resnet_edge.core.files.atomic import name_too
from resnet_edge.core.files.scratch import Scratch, remove
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.hosts import frames
from resnet_edge.workers.hosts.frames import Greeting, HostReply, HostRequest
from resnet_edge.workers.hosts.identity import code_digest
from resnet_edge.workers.hosts.store import Arriving, Store, place
from resnet_edge.workers.process import WorkerProcess
from resnet_edge.workers.progress import Progress

SILENCE = 45.0
"""Seconds. The other end says something every few (`connection.PING`)."""
GRACE = 5.0
"""Seconds from the end of the connection to that of this process, whatever it waits for."""
QUEUED = 64
"""Parts of files that are read before the first of them is kept: 8 MiB."""
LOG_BYTES = 4096
"""Of a worker's log, its end: what a person needs of it."""


def main() -> None:
    """Serve orders from stdin until it ends. What others print goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    runs = place().parent / "runs"  # on the disk of what is kept, so that a link costs nothing
    try:
        runs.mkdir(parents=True, exist_ok=True)
        scratch = Scratch(runs)
    except OSError as error:
        sys.exit(_unwritable(error.filename or runs, error))
    served = _Served(scratch.path.resolve(), answers)
    try:
        served.greet()
        served.serve(sys.stdin.buffer)
    except BrokenPipeError:  # the other end is gone
        pass
    finally:
        served.close()
        scratch.remove()


def _unwritable(where: object, error: OSError) -> str:
    return f"{where} there cannot be written ({error.strerror or error}): free some room, or mend it"


class _Served:
    """One connection: at most one worker at a time, and the files in `folder`."""

    def __init__(self, folder: Path, answers: BinaryIO) -> None:
        self._folder, self._answers = folder, answers
        self._store = Store(place())
        self._arriving: dict[str, Arriving] = {}
        self._lost: dict[str, OSError] = {}
        self._worker: WorkerProcess | None = None
        self._lock = threading.Lock()
        self._orders: queue.SimpleQueue[tuple[HostRequest, bytes] | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(QUEUED)
        self._heard = time.monotonic()
        self._over = False

    def greet(self) -> None:
        """Say who this is; nothing but frames comes after it."""
        self._store.sweep()
        greeting = Greeting(
            resnet_edge=__version__,
            digest=code_digest(),
            folder=str(self._folder),
        )
        self._answers.write(frames.GREETING.encode() + msgspec.json.encode(greeting) + b"\n")
        self._answers.flush()

    def serve(self, stream: BinaryIO) -> None:
        """Do what is ordered, in turn; orders are read beside it, so that their end is noticed at once."""
        threading.Thread(target=self._listen, args=(stream,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()
        while (order := self._orders.get()) is not None:
            self._do(*order)
            if order[0].order == "file":
                self._room.release()

    def close(self) -> None:
        """End the worker, and forget what did not arrive."""
        self._end()
        for arriving in self._arriving.values():
            arriving.discard()

    def _listen(self, stream: BinaryIO) -> None:
        with suppress(frames.Broken, OSError):  # the other end sees that it is over, and why it wrote so
            while (order := frames.read(stream, HostRequest)) is not None:
                self._heard = time.monotonic()
                if order[0].order == "file":
                    self._wait_for_room()
                if order[0].order != "ping":
                    self._orders.put(order)
        self._end()

    def _wait_for_room(self) -> None:
        """A disk may be slower than the line: what it did not take yet must not fill the memory."""
        while not self._room.acquire(timeout=SILENCE / 10) and not self._over:
            self._heard = time.monotonic()

    def _watch(self) -> None:
        while time.monotonic() - self._heard < SILENCE:
            time.sleep(SILENCE / 10)
        self._end()

    def _end(self) -> None:
        with self._lock:
            if not self._over:
                last = threading.Timer(GRACE, self._give_up)
                last.daemon = True
                last.start()
            self._over = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        self._orders.put(None)

    def _give_up(self) -> None:
        """It is over, and an answer is still on its way that nobody takes."""
        try:
            remove(self._folder)
        finally:
            os._exit(os.EX_IOERR)

    def _do(self, order: HostRequest, payload: bytes) -> None:
        try:
            if order.order == "have":
                self._send(HostReply(missing=[one for one in order.digests if not self._store.has(one)]))
            elif order.order == "file":
                self._take(order, payload)
            else:
                self._call(order)
        except ResnetEdgeError as error:
            self._send(HostReply(error=type(error).__name__, text=str(error), log=self._log_of(error)))
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            where = error.filename or place()
            self._send(HostReply(error=OutputError.__name__, text=_unwritable(where, error)))
        except Exception as error:  # the border: it is sent to the other machine, not swallowed
            self._send(
                HostReply(error=WorkerFailed.__name__, text=f"{type(error).__name__}: {first_line(error)}")
            )

    def _take(self, order: HostRequest, payload: bytes) -> None:
        """A part of a file. All parts are on their way before the first is answered: what went wrong is said
        at the last."""
        (digest,) = order.digests
        if digest not in self._lost:
            try:
                if digest not in self._arriving:
                    self._arriving[digest] = self._store.arriving(digest)
                self._arriving[digest].add(payload)
            except OSError as error:
                self._lost[digest] = error
        if not order.last:
            return
        arriving = self._arriving.pop(digest, None)
        if digest in self._lost:
            if arriving is not None:
                arriving.discard()
            raise self._lost.pop(digest)
        assert arriving is not None
        try:
            arriving.finish()
        except OSError:
            arriving.discard()
            raise
        self._send(HostReply(reply=digest))

    def _call(self, order: HostRequest) -> None:
        for path, digest in order.reads.items():
            link = self._inside(path)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            self._place(self._store.path(digest), link)
        for path in order.writes:
            self._inside(path).parent.mkdir(parents=True, exist_ok=True)
        worker = self._started(order)

        def tell(progress: Progress) -> None:
            self._send(HostReply(progress=progress))

        try:
            reply = worker.call(order.function, order.request, object, tell)
        except WorkerFailed:
            with self._lock:
                self._worker = None
            worker.close()
            raise
        for path in order.writes:
            self._bring(path)
        self._send(HostReply(reply=reply, peak_bytes=worker.peak_bytes, cpu_seconds=worker.cpu_seconds))

    def _place(self, kept: Path, link: Path) -> None:
        """No symbolic link: ONNX Runtime looks for weights beside what that leads to. Raises OSError;
        OutputError where another file took the room of this one since it was asked for."""
        try:
            name_too(kept, link)
        except FileNotFoundError as error:
            raise OutputError(
                f"{place()} there has no room for all the files of this task: free some, and run again"
            ) from error

    def _started(self, order: HostRequest) -> WorkerProcess:
        with self._lock:
            if self._over:
                raise WorkerFailed(f"{order.name}: the connection is over")
            if self._worker is None:
                out = self._folder / "out"
                out.mkdir(exist_ok=True)
                grant = Grant(writes=(str(out),), free=order.free, network=order.network)
                self._worker = WorkerProcess(order.name, self._folder / "worker.log", grant=grant)
            return self._worker

    def _bring(self, path: str) -> None:
        file = self._inside(path)
        if not file.is_file():
            return
        with file.open("rb") as stream:
            for block, last in frames.parts(stream):
                self._send(HostReply(written=path, last=last), block)
        file.unlink()

    def _inside(self, path: str) -> Path:
        """A path in the folder of this connection. Raises UsageError for any other."""
        whole = Path(os.path.normpath(path))
        if self._folder not in whole.parents:
            raise UsageError(f"{path!r} is not in {self._folder}: run the same version on both machines")
        return whole

    def _log_of(self, error: ResnetEdgeError) -> str:
        with suppress(OSError):
            if isinstance(error, WorkerFailed):
                return (self._folder / "worker.log").read_bytes()[-LOG_BYTES:].decode(errors="replace")
        return ""

    def _send(self, answer: HostReply, payload: bytes = b"") -> None:
        frames.write(self._answers, answer, payload)


if __name__ == "__main__":
    main()
