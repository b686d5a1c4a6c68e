"""TFLite Micro: what runs on a microcontroller, here on this machine's processor.

Its reference kernels are LiteRT's (litert_reference), to the bit, in int8 and in float32: an int8 artifact
gives here what it gives on a device without kernels of its own. With int16 activations they differ. Like
those it aborts the process (SIGABRT) in an int8 softmax over a thousand scores that are almost the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro.python.tflite_micro import runtime

from resnet_edge.backends._border import AGAIN, check_device, misfit
from resnet_edge.backends._litert.session import declared
from resnet_edge.backends._program import FOLDER
from resnet_edge.core.arena import Arena
from resnet_edge.core.errors import ArtifactError, first_line

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu"})
KERNELS = "reference"
ARENA = True
FOR_PARITY_ONLY = True
FIXED_BATCH = True

FIRST_ARENA, LARGEST_ARENA = 1 << 20, 1 << 30
"""In bytes. The bundled ResNet-20 takes 64 KB in int8; a ResNet-50 at 224 x 224 takes 2.7 MB."""
ARENA_SECONDS = 300.0
_TOO_SMALL = re.compile(r"missing: \d|too small|only \d+ was available")
_ALLOCATED = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


def version() -> str:
    """The version of the runtime."""
    return metadata.version("tflite-micro")


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[MicroSession]:
    """Open a .tflite file; it has one thread, whatever `threads` says. Raises DeviceUnavailable,
    ArtifactError."""
    check_device("tflite_micro", device, DEVICES, "it imitates a microcontroller")
    yield MicroSession(path)


def arena(path: Path) -> Arena:
    """The memory that the model takes. Raises ArtifactError where it does not open or run."""
    declared(path)  # TFLite Micro trusts a file, and a damaged one would end it with a signal
    command = [sys.executable, "-I", str(FOLDER / "micro_arena.py"), str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=ARENA_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{path}: TFLite Micro gave no answer in {ARENA_SECONDS:.0f} s: use a smaller network"
        ) from error
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise ArtifactError(f"{path} does not run in TFLite Micro ({_reason(said)}): {_fix(said)}")
    counts = {name: int(count) for name, count in _ALLOCATED.findall(said)}
    smallest = int(json.loads(done.stdout)["smallest_bytes"])
    return Arena(counts["total"], counts["head"], counts["tail"], smallest)


class MicroSession:
    """An interpreter with its arena."""

    device = "cpu"

    def __init__(self, path: Path) -> None:
        self.input, self.output = declared(path)
        if self.input.shape[0] is None:
            raise ArtifactError(
                f"{path} takes any number of images, and TFLite Micro a fixed one: convert without "
                "--dynamic-batch"
            )
        self._path = path
        self._interpreter = _opened(path)

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if reason := misfit(images, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        try:
            self._interpreter.set_input(np.ascontiguousarray(images), 0)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{self._path} does not run ({first_line(error)}): {AGAIN}") from error
        outputs: NDArray[Any] = np.array(self._interpreter.get_output(0))
        return outputs


def _opened(path: Path) -> runtime.Interpreter:
    """An interpreter in the first arena that is large enough. Raises ArtifactError."""
    model = path.read_bytes()
    size = FIRST_ARENA
    while True:
        with tempfile.TemporaryFile() as printed:
            try:
                with _stderr_in(printed.fileno()):
                    return runtime.Interpreter.from_bytes(model, arena_size=size)
            except (ValueError, RuntimeError) as error:
                printed.seek(0)
                said = printed.read().decode(errors="replace")
                if _TOO_SMALL.search(said) and size < LARGEST_ARENA:
                    size *= 4
                    continue
                reason = _reason(said) or first_line(error)
                raise ArtifactError(
                    f"{path} cannot be opened by TFLite Micro ({reason}): {_fix(said)}"
                ) from error


@contextmanager
def _stderr_in(descriptor: int) -> Iterator[None]:
    """The reason why it does not open is printed from C++ and in no exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(descriptor, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _reason(said: str) -> str:
    """The first line: what follows from it comes after."""
    lines = (line.strip() for line in said.splitlines())
    return next((line[:300].rstrip(".") for line in lines if line), "")


def _fix(said: str) -> str:
    if "Hybrid models" in said or "DEQUANTIZE" in said:
        return "it takes weights in int8 with integer activations, or float32 alone: use another scheme"
    return "use another scheme or a smaller network"
