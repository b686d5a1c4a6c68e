"""Heavy work in a process of its own, seen from the parent.

A worker is a fresh interpreter that serves calls in turn until it is closed: whatever it
imports, leaks, prints or breaks ends with it. Requests and replies are JSON, not pickles:
a worker reads untrusted model files, and what it sends back must not be able to run code
in the parent. Its stdout and stderr, down to the file descriptors (TensorFlow and XNNPACK
print from C++), go to one log file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

import msgspec

from resnet_edge.core.errors import KINDS, ResnetEdgeError, WorkerFailed
from resnet_edge.core.progress import Progress, Report, silent

T = TypeVar("T")

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


class Worker:
    """One worker process. Use as a context manager; leaving kills whatever still runs.

    `peak_bytes` is the largest resident set that the worker reported with its replies.
    """

    def __init__(self, name: str, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self.peak_bytes = 0
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "resnet_edge.core.worker_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **QUIET, **(env or {})},
                # Ctrl-C goes to the foreground process group: the parent alone decides
                # what an interrupt means, and ends its workers itself.
                start_new_session=True,
            )
        self._lock = threading.Lock()

    def call(
        self, function: str, request: Any, reply: type[T], report: Report = silent
    ) -> T:
        """Run `package.module:function` on `request` in the worker and wait for the reply.

        `request` is a dataclass; the function is called as `function(request, report)` and
        its annotations tell the worker how to read the request. Raises the worker's own
        ResnetEdgeError, or WorkerFailed when the worker crashed.
        """
        line = msgspec.json.encode({"function": function, "request": request})
        with self._lock:
            try:
                stdin = _pipe(self._process.stdin)
                stdin.write(line + b"\n")
                stdin.flush()
            except OSError:
                raise self._died() from None
            for raw in _pipe(self._process.stdout):
                message = msgspec.json.decode(raw, type=Message)
                self.peak_bytes = max(self.peak_bytes, message.peak_bytes)
                if message.progress is not None:
                    report(message.progress)
                elif message.error is not None:
                    raise KINDS.get(message.error, ResnetEdgeError)(message.text)
                elif message.crash is not None:
                    raise WorkerFailed(
                        f"{self.name} broke: {message.crash} (full log: {self.log})"
                    )
                else:
                    return msgspec.convert(message.reply, type=reply)
            raise self._died()

    def _died(self) -> WorkerFailed:
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        hint = "; too little memory is the usual cause" if code == -signal.SIGKILL else ""
        return WorkerFailed(f"{self.name} {how}{hint} (full log: {self.log})")

    def close(self) -> None:
        """End the process and everything it started."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                _pipe(pipe).close()
            except OSError:  # unflushed bytes for a process that is gone
                pass

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Message(msgspec.Struct, omit_defaults=True):
    """One line from worker to parent: progress, an error, a crash, or else the reply."""

    progress: Progress | None = None
    error: str | None = None
    text: str = ""
    crash: str | None = None
    reply: Any = None
    peak_bytes: int = 0


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
