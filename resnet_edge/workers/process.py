"""Heavy work in a process of its own, seen from the parent.

A worker is a fresh interpreter that serves calls in turn until it is closed: whatever it
imports, leaks, prints or breaks ends with it. Requests and replies are JSON, not pickles:
a worker reads untrusted model files, and what it sends back must not be able to run code
in the parent. They pass through a socket of their own, so that its stdin is empty and its
stdout and stderr, down to the file descriptors (TensorFlow and XNNPACK print from C++), go
to one log file from the first instruction on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from resnet_edge.core.errors import KINDS, OutputError, ResnetEdgeError, UsageError, WorkerFailed
from resnet_edge.core.files.atomic import with_final_names
from resnet_edge.core.files.scratch import Scratch, keep, scratch_folder
from resnet_edge.workers.bytecode import write_missing
from resnet_edge.workers.environment import worker_environment
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.loop_time import LoopTime, LoopWatch
from resnet_edge.workers.memory import MemoryWatch
from resnet_edge.workers.progress import OnProgress, Progress, silent
from resnet_edge.workers.task import Task

T = TypeVar("T")

# -P: nothing is imported from the current folder, which is where the user keeps data.
INTERPRETER = (sys.executable, "-P", "-X", "faulthandler", "-m", "resnet_edge.workers.child")

_LIBRARY = "a library crashed: if {file} is damaged, copy or save it again"
HINTS: dict[int, str] = {
    signal.SIGKILL: "too little memory is the usual cause",
    signal.SIGSEGV: _LIBRARY,
    signal.SIGBUS: _LIBRARY,
    signal.SIGABRT: _LIBRARY,
    signal.SIGFPE: _LIBRARY,
    signal.SIGALRM: "a file that takes so long to read is damaged: copy or save {file} again",
}
"""What is likely behind a signal that ended a worker, and what to do about it; {file} is what it read."""


class WorkerProcess:
    """One worker process. Use as a context manager; leaving kills whatever still runs.

    `log` takes what it prints; `env` is added to its environment (`worker_environment`), and its TMPDIR is
    where the worker's own scratch folder is made. `grant` is what it may do beside reading: it shuts itself
    in before it does anything else (`sandbox`). `peak_bytes` is the largest resident set that the worker
    reported so far, `cpu_seconds` the processor time of all its threads. Raises WorkerFailed where the
    process cannot be started, OutputError where there is no room for temporary files.

    `memory`: bytes that it may take (None: what is free when it starts); it is ended when it has more
    (`memory`).
    """

    def __init__(
        self,
        name: str,
        log: Path,
        env: Mapping[str, str] | None = None,
        grant: Grant = NOTHING,
        memory: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._writes = grant.writes
        self.peak_bytes, self.cpu_seconds = 0, 0.0
        self._lock = threading.Lock()
        self._closed = False
        self._buffer = b""
        self._doing: Progress | None = None
        self._reads = "the file that it read"
        env = env or {}
        try:
            self._scratch = Scratch(Path(env["TMPDIR"]) if "TMPDIR" in env else None)
        except OSError as error:
            raise OutputError(
                f"no folder for temporary files can be made ({error}): make room, or name another with TMPDIR"
            ) from error
        try:
            self._start(env, grant)
            self._memory = MemoryWatch(self._process.pid, memory)
            self._loop = LoopWatch(self._process.pid)
        except OSError as error:
            self._scratch.remove()
            raise WorkerFailed(f"{name} cannot be started: {error}") from error

    def _start(self, env: Mapping[str, str], grant: Grant) -> None:
        environment = worker_environment(self._scratch.path, env, imports_here=grant.imports_here)
        self._channel, theirs = socket.socketpair()
        try:
            with self.log.open("ab") as sink:
                self._process = subprocess.Popen(
                    [*INTERPRETER, *self._confinement(grant), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    pass_fds=[theirs.fileno()],
                    env=environment,
                    # Ctrl-C goes to the foreground process group: the parent alone decides
                    # what an interrupt means, and ends its workers itself.
                    start_new_session=True,
                )
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()

    def _confinement(self, grant: Grant) -> list[str]:
        """As `workers.child` reads it."""
        if grant.free:
            return ["free"]
        write_missing()
        return ["network" if grant.network else "alone", str(self._scratch.path), *grant.writes]

    def run(self, task: Task[T], on_progress: OnProgress = silent) -> T:
        """Do `task` in the worker and wait for its reply. Raises as `call`."""
        return self.call(task.runs, task, task.reply_type(), on_progress)

    def call(self, function: str, request: Any, reply: type[T], on_progress: OnProgress = silent) -> T:
        """Run `package.module:function` on `request` in the worker and wait for the reply.

        `request` is a dataclass, or the builtins that make one; the function is called as
        `function(request, report)` and its annotations tell the worker how to read the
        request. Raises the worker's own ResnetEdgeError, after which the worker can be
        called again, or WorkerFailed when it crashed.
        """
        try:
            line = msgspec.json.encode({"function": function, "request": request})
        except UnicodeEncodeError as error:
            raise UsageError(f"a name is not valid UTF-8 ({error.object!r}): rename the file") from error
        with self._lock:
            self._reads = _read_by(request)
            self._memory.at_work = True
            try:
                answer = self._exchange(line, on_progress)
            except BaseException:
                # Interrupted, or `report` raised: what the worker still sends would be
                # taken for the answer to the next call.
                self.close()
                raise
            finally:
                self._memory.at_work = False
        return self._read(answer, reply)

    def _exchange(self, line: bytes, on_progress: OnProgress) -> Message:
        if self._closed:
            raise WorkerFailed(f"{self.name} was closed (full log: {self.log})")
        self._doing = None
        self._loop.begin()
        self._channel.settimeout(None)
        with suppress(OSError):  # it is gone; reading tells how
            self._channel.sendall(line + b"\n")
        for raw in self._lines():
            try:
                message = msgspec.json.decode(raw, type=Message)
            except msgspec.DecodeError as error:
                raise WorkerFailed(f"{self.name} sent nonsense: {error} (full log: {self.log})") from error
            self.peak_bytes = max(self.peak_bytes, message.peak_bytes)
            self.cpu_seconds = max(self.cpu_seconds, message.cpu_seconds)
            self._loop.begin(message.loop)
            if message.loop is not None:
                continue
            if message.progress is None:
                return message
            self._doing = message.progress
            on_progress(message.progress)
        raise self._died()

    def _read(self, answer: Message, reply: type[T]) -> T:
        if answer.error is not None:
            raise KINDS.get(answer.error, ResnetEdgeError)(self._with_final_names(answer.text))
        if answer.crash is not None:
            raise self._ended(f"{self.name} broke: {answer.crash}")
        try:
            return msgspec.convert(answer.reply, type=reply)
        except msgspec.ValidationError as error:
            raise WorkerFailed(
                f"{self.name} sent no {reply.__name__}: {error} (full log: {self.log})"
            ) from error

    def _with_final_names(self, text: str) -> str:
        """The text, in which a folder that is not whole yet has the name that it will have."""
        return with_final_names(text, self._writes)

    def _lines(self) -> Iterator[bytes]:
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                yield line
            elif block := self._receive():
                self._buffer += block
            else:
                return

    def _receive(self) -> bytes:
        """The next bytes, or none when the process has ended."""
        while True:
            if (excess := self._memory.excess()) is not None:
                raise self._took(excess)
            if (endless := self._loop.excess()) is not None:
                raise self._ended(f"{self.name} was ended{_while(self._doing)}: {endless}")
            self._channel.settimeout(self._memory.wait)
            try:
                return self._channel.recv(1 << 20)
            except TimeoutError:
                # Something that the worker started may hold its end of the socket open.
                if self._process.poll() is not None:
                    return b""
            except OSError:
                return b""

    def _took(self, excess: str) -> WorkerFailed:
        return self._ended(
            f"{self.name} was ended{_while(self._doing)}: {excess}: give it less at once (a smaller model, "
            f"fewer or smaller images) than {self._reads} asks for, or use a machine with more"
        )

    def _died(self) -> WorkerFailed:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return self._ended(f"{self.name} stopped answering")
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"exited with {code}"
        hint = f"; {HINTS[-code].format(file=self._reads)}" if -code in HINTS else ""
        return self._ended(f"{self.name} {how}{_while(self._doing)}{hint}")

    def _ended(self, text: str) -> WorkerFailed:
        return WorkerFailed(f"{self._with_final_names(text)} (full log: {self.log})")

    def close(self) -> None:
        """End the process and everything it started that is still in its session."""
        if self._closed:
            return
        self._closed = True
        try:
            # The group outlives its leader as long as it has members; an empty one is not found.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._memory.close()
            self._channel.close()
        finally:  # an interrupt may come in between
            self._scratch.remove()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Message(msgspec.Struct, omit_defaults=True):
    """One line from worker to parent: progress, a file with a loop, an error, a crash, or else the reply."""

    progress: Progress | None = None
    loop: LoopTime | None = None
    error: str | None = None
    text: str = ""
    crash: str | None = None
    reply: Any = None
    peak_bytes: int = 0
    cpu_seconds: float = 0.0


@contextmanager
def log_folder() -> Iterator[Path]:
    """A new folder for logs. It goes away on leaving, unless a worker failed: the message
    then names a log in it. Where the failure was no end of the run, `keep_logs` says so."""
    with scratch_folder() as folder:
        try:
            yield folder
        except WorkerFailed as error:
            if str(folder) in str(error):  # one that could not be started has written nothing
                keep_logs(folder)
            raise


def keep_logs(folder: Path) -> None:
    """A note or a report names a log in the folder of `log_folder`."""
    keep(folder)


def _read_by(request: Any) -> str:
    """The file of the user's that a request is about, as far as it says so."""
    for name in ("path", "source", "data", "artifact", "target", "model"):
        value = request.get(name) if isinstance(request, dict) else getattr(request, name, None)
        if isinstance(value, str) and value:
            return value
        if value is not None and not isinstance(value, str):
            return _read_by(value)
    return "the file that it read"


def _while(doing: Progress | None) -> str:
    """What it told last, unless that was finished."""
    if doing is None or 0 < doing.total <= doing.done:
        return ""
    return f" in {doing.step!r} ({doing.note})" if doing.note else f" in {doing.step!r}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
