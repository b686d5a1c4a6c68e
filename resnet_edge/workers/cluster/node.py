"""Runs on a machine of the cluster, in a process of Ray's. One call at a time: its files are put in place by
their content, once for all processes of the run on that machine, and a worker that is shut in does it.

What stands on a machine is in one folder of the run, whose lock all its processes share: `leave` removes it,
and where nobody came to that, whoever makes a scratch folder there afterwards (`core.files.scratch`).
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge import __version__
from resnet_edge.core.errors import (
    ClusterUnavailable,
    OutputError,
    ResnetEdgeError,
    WorkerFailed,
    first_line,
)
from resnet_edge.core.files import scratch
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.packages import BASE
from resnet_edge.workers.cluster.messages import Identity, NodeCall, NodeReply
from resnet_edge.workers.cluster.run_files import FilePart, RunFiles
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.hosts.identity import code_digest
from resnet_edge.workers.process import WorkerProcess

PREFIX = f"{scratch.PREFIX}cluster-"
LEAVES_SECONDS = 5.0
LOG_BYTES = 4096
"""Of a worker's log, its end: what a person needs of it."""


_NO_NUMBERS = {*BASE, "playwright", "ray"} - {"numpy"}
"""Distributions that compute nothing of a result; Ray itself compares its own release."""


@cache
def own_identity() -> Identity:
    """Of this machine."""
    compute = {name: version for name, version in versions().items() if name not in _NO_NUMBERS}
    return Identity(resnet_edge=__version__, digest=code_digest(), versions=compute)


@cache
def own_machine() -> dict[str, Any]:
    """What this machine is."""
    return machine()


def difference(ours: Identity, theirs: Identity, node: str, needed: Sequence[str] = ()) -> str:
    """Why `node`, which is `theirs`, cannot work for who is `ours`, with the mend; empty where it can. Of
    distributions those count that are on both, and those that are `needed`."""
    if theirs.resnet_edge != ours.resnet_edge:
        return (
            f"{node} of the cluster has resnet-edge {theirs.resnet_edge}, and this machine "
            f"{ours.resnet_edge}: "
            f"pip install 'resnet-edge[cluster]=={ours.resnet_edge}' there, or that of the cluster here"
        )
    if theirs.digest != ours.digest:
        return (
            f"{node} of the cluster has other code of resnet-edge {ours.resnet_edge} than this machine: "
            "install the same wheel, or the same commit, on both"
        )
    for name, here in ours.versions.items():
        there = theirs.versions.get(name)
        if there is None and name in needed:
            return f"{node} of the cluster has no {name}: pip install {name}=={here} there"
        if there not in (None, here):
            return (
                f"{node} of the cluster has {name} {there}, and this machine {here}: "
                f"pip install {name}=={here} there; other versions give other numbers"
            )
    return ""


def run(line: bytes, parts: Mapping[str, Sequence[FilePart]], node: str) -> tuple[bytes, dict[str, bytes]]:
    """Do the `NodeCall` that `line` is, with the files whose `parts` are there by digest; give a `NodeReply`,
    and what was written by its paths. Raises nothing that is not Ray's: what went wrong is in the reply."""
    began = time.monotonic()
    reply, (token, own) = NodeReply(), ("", "")
    written: dict[str, bytes] = {}
    try:
        call = msgspec.json.decode(line, type=NodeCall)
        if wrong := difference(call.identity, own_identity(), node):
            raise ClusterUnavailable(wrong)
        place = _place_of(call.run, node)
        token, own = call.token, str(place.own)
        call = msgspec.json.decode(_spelled(line, token, own), type=NodeCall)
        reply, written = place.done(call, parts)
    except ResnetEdgeError as error:
        reply = NodeReply(error=type(error).__name__, text=str(error), log=_log_of(error))
    except OSError as error:
        where = error.filename or tempfile.gettempdir()
        text = f"{where} on {node} cannot be written ({error.strerror or error}): make room there"
        reply = NodeReply(error=OutputError.__name__, text=text)
    except Exception as error:  # the border: it is sent to the other machine, not swallowed
        text = f"{type(error).__name__}: {first_line(error)}"
        reply = NodeReply(error=WorkerFailed.__name__, text=text)
    reply.node, reply.seconds = node, time.monotonic() - began
    reply.machine, reply.versions = own_machine(), own_identity().versions
    sent = msgspec.json.encode(reply)
    if token:
        sent = _spelled(sent, own, token)
    return sent, {_renamed(path, own, token): content for path, content in written.items()}


def leave(run: str) -> None:
    """Remove what the run has on this machine: again where a process that ends now still wrote."""
    until = time.monotonic() + LEAVES_SECONDS
    while folders := [*Path(tempfile.gettempdir()).glob(f"{PREFIX}{run}-*")]:
        for folder in folders:
            scratch.remove(folder)
        if time.monotonic() > until:
            return
        time.sleep(0.1)


def _spelled(line: bytes, before: str, after: str) -> bytes:
    """A line of JSON with the paths below `before` below `after`."""
    return line.replace(msgspec.json.encode(before)[1:-1], msgspec.json.encode(after)[1:-1])


def _renamed(path: str, before: str, after: str) -> str:
    return after + path.removeprefix(before)


@dataclass(kw_only=True)
class _Place:
    """Of a process of Ray's: the files of the run on this machine, `own` beside them for this process, and
    the worker that did the last call."""

    run: str
    files: RunFiles
    own: Path
    lock: int
    worker: WorkerProcess | None = None
    grant: Grant | None = None

    def done(
        self, call: NodeCall, parts: Mapping[str, Sequence[FilePart]]
    ) -> tuple[NodeReply, dict[str, bytes]]:
        began = time.monotonic()
        with self.files.placed(call.reads, parts) as placed:
            for path in call.writes:
                folder = Path(path) if path in call.folders else Path(path).parent
                folder.mkdir(parents=True, exist_ok=True)
            placing = time.monotonic() - began
            reply, written = self._worked(call)
        reply.placed_bytes, reply.placing = placed, placing
        return reply, written

    def _worked(self, call: NodeCall) -> tuple[NodeReply, dict[str, bytes]]:
        if call.alone:
            self._end()
        worker = self._started(call)
        try:
            result = worker.call(call.function, call.request, object)
        except ResnetEdgeError as error:
            if isinstance(error, WorkerFailed):
                self._end()
            raise
        except BaseException:  # cancelled: the worker was closed with it
            self._end()
            raise
        finally:
            written = dict(self._written(call))
            if call.alone:
                self._end()
        costs = NodeReply(reply=result, peak_bytes=worker.peak_bytes, cpu_seconds=worker.cpu_seconds)
        return costs, written

    def _started(self, call: NodeCall) -> WorkerProcess:
        out = self.own / "out"
        out.mkdir(exist_ok=True)
        grant = Grant(writes=(str(out),), free=call.free, network=call.network)
        if self.worker is not None and grant != self.grant:
            self._end()
        if self.worker is None:
            env = {**call.env, "TMPDIR": str(self.own)}
            self.worker = WorkerProcess(call.name, self.own / "worker.log", env, grant)
            self.grant = grant
        self.worker.name = call.name  # as who asks calls it
        return self.worker

    def _end(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.close()

    def _written(self, call: NodeCall) -> Iterator[tuple[str, bytes]]:
        """What the task wrote, by path, and is gone then."""
        for path in map(Path, call.writes):
            files = [path] if path.is_file() else [f for f in sorted(path.rglob("*")) if f.is_file()]
            for file in files:
                yield str(file), file.read_bytes()
                file.unlink()


_places: dict[str, _Place] = {}


def _place_of(run: str, node: str) -> _Place:
    if run not in _places:
        for name in [*os.environ]:
            # Ray sets the first for a process of one CPU, and here it would change how others compute.
            if name == "OMP_NUM_THREADS" or name.startswith("RAY_AUTH_TOKEN"):
                del os.environ[name]
        temporary = Path(tempfile.gettempdir())
        scratch.sweep(temporary)
        folder = temporary / f"{PREFIX}{run}-{''.join(c if c.isalnum() else '-' for c in node)}"
        lock = _shared(folder)
        own = folder / str(os.getpid())
        own.mkdir(exist_ok=True)
        _places[run] = _Place(run=run, files=RunFiles(folder), own=own.resolve(), lock=lock)
    return _places[run]


def _shared(folder: Path) -> int:
    """The folder, made where it is not there, and its lock, held with others as long as this process
    lives."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / scratch.OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # a file system without locks: nothing is swept there
            fcntl.flock(lock, fcntl.LOCK_SH)
        with suppress(OSError):
            if (folder / scratch.OWNER).stat().st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)  # it was swept in between


def _log_of(error: ResnetEdgeError) -> str:
    with suppress(OSError):
        if isinstance(error, WorkerFailed) and _places:
            place = [*_places.values()][-1]
            return (place.own / "worker.log").read_bytes()[-LOG_BYTES:].decode(errors="replace")
    return ""
