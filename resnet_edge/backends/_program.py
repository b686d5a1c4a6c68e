"""A runtime in a program of its own, which answers calls through two pipes.

A call and its answer are a line of JSON, whose `bytes` says how many bytes of data follow it. Answers have
a pipe to themselves: what a runtime prints goes to a file and is read where it ends badly. The program
stays in this process's group, so that it goes with a worker that is killed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from resnet_edge.core.errors import ArtifactError, MissingDependency

FOLDER = Path(__file__).parent / "_programs"
LAST_WORDS = 300
_BLOCK = 1 << 20


class Refused(Exception):
    """What a runtime says of what it does not do."""


class Program:
    """A running program; its last argument is the number of the pipe that it answers through.

    `runtime` is its name for people, `path` the model file that it is there for. Raises
    MissingDependency where it does not start.
    """

    def __init__(self, runtime: str, path: Path, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._runtime, self._path = runtime, path
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the program
        self._answers, theirs = os.pipe()
        self._buffer = bytearray()
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs)],
                stdin=subprocess.PIPE,
                stdout=self._printed,
                stderr=self._printed,
                pass_fds=[theirs],
                env={**os.environ, **env},
            )
        except OSError as error:
            os.close(self._answers)
            self._printed.close()
            raise MissingDependency(f"{runtime} cannot be started ({error}): install it again") from error
        finally:
            os.close(theirs)
        assert self._process.stdin is not None
        self._calls = self._process.stdin.fileno()
        os.set_blocking(self._calls, False)

    def call(self, request: Mapping[str, Any], seconds: float, data: bytes = b"") -> tuple[Any, bytes]:
        """The answer and its data. Raises Refused; ArtifactError where the program dies or takes longer
        than `seconds`, after which it is gone."""
        deadline = time.monotonic() + seconds
        line = json.dumps({**request, "bytes": len(data)}).encode() + b"\n"
        try:
            self._send(line + data, deadline)
            answer = json.loads(self._until(b"\n", deadline))
            payload = self._take(int(answer.get("bytes", 0)), deadline)
        except TimeoutError as error:
            self.close()
            raise ArtifactError(
                f"{self._path}: {self._runtime} gave no answer in {seconds:.0f} s: use another backend"
            ) from error
        except (BrokenPipeError, EOFError, ValueError) as error:
            raise ArtifactError(self._obituary()) from error
        if "error" in answer:
            raise Refused(str(answer["error"]))
        return answer, payload

    def close(self) -> None:
        """End it at once: it has nothing to save, and MediaPipe can hang when it is asked to close."""
        if self._answers < 0:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        os.close(self._answers)
        self._answers = -1
        self._printed.close()

    def _send(self, data: bytes, deadline: float) -> None:
        if self._answers < 0:
            raise EOFError
        rest = memoryview(data)
        while rest:
            _wait([], [self._calls], deadline)
            rest = rest[os.write(self._calls, rest[:_BLOCK]) :]

    def _until(self, mark: bytes, deadline: float) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            self._receive(deadline)
        return self._pop(at + len(mark))

    def _take(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            self._receive(deadline)
        return self._pop(count)

    def _pop(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _receive(self, deadline: float) -> None:
        _wait([self._answers], [], deadline)
        block = os.read(self._answers, _BLOCK)
        if not block:
            raise EOFError
        self._buffer += block

    def _obituary(self) -> str:
        """How it ended and what it said last, in one line."""
        if self._answers < 0:
            return f"{self._path}: {self._runtime} was ended before: open the file again"
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.poll()
        self._printed.seek(0)
        lines = self._printed.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        self.close()
        how = "stopped answering" if code is None else f"exited with {code}"
        if code is not None and code < 0:
            how = f"was ended by {_signal_name(-code)}"
        return (
            f"{self._path}: {self._runtime} {how} ({said[:LAST_WORDS].rstrip('.')}): copy or convert the "
            "file again, or use another backend"
        )


def _wait(readable: list[int], writable: list[int], deadline: float) -> None:
    if not any(select.select(readable, writable, [], max(0.0, deadline - time.monotonic()))):
        raise TimeoutError


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
