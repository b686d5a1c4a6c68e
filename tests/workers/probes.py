"""Runs in a worker. Functions that behave well and badly, for test_process."""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from resnet_edge.core.errors import DataError
from resnet_edge.workers.loop_time import ANNOUNCEMENTS
from resnet_edge.workers.progress import OnProgress, Progress

print("printed while the module is imported")


@dataclass(frozen=True)
class Words:
    text: str = ""
    number: int = 0


@dataclass(frozen=True)
class Echo:
    text: str
    number: float
    pid: int


def echo(request: Words, on_progress: OnProgress) -> Echo:
    return Echo(request.text, request.number, os.getpid())


def numpy_scalars(request: Words, on_progress: OnProgress) -> dict[str, Any]:
    return {"text": str(np.str_("x")), "number": np.float32(0.5), "pid": np.int64(7)}


def count(request: Words, on_progress: OnProgress) -> Words:
    for done in range(request.number):
        on_progress(
            Progress(step="count", done=done + 1, total=request.number, note=f"{request.text} {done}")
        )
    return Words(request.text, request.number)


def refuse(request: Words, on_progress: OnProgress) -> Words:
    raise DataError(request.text)


def crash(request: Words, on_progress: OnProgress) -> Words:
    raise ZeroDivisionError("first line\nsecond line")


def break_on(request: Words, on_progress: OnProgress) -> Words:
    raise ValueError(f"cannot write {request.text}")


def fill_disk(request: Words, on_progress: OnProgress) -> Words:
    raise OSError(errno.ENOSPC, "No space left on device", "big.tflite")


def need_missing_package(request: Words, on_progress: OnProgress) -> Words:
    raise ModuleNotFoundError("No module named 'openvino'", name="openvino.runtime")


def answer_with_array(request: Words, on_progress: OnProgress) -> Any:
    return np.zeros(3)


def answer_with_nan(request: Words, on_progress: OnProgress) -> Any:
    return {"text": "", "number": float("nan"), "pid": 0}


def abort(request: Words, on_progress: OnProgress) -> Words:
    os.write(2, b"the last words of a converter\n")
    os.abort()


def die_while_reading(request: Words, on_progress: OnProgress) -> Words:
    on_progress(Progress(step="model", note=f"reading {request.text}"))
    os.kill(os.getpid(), request.number)
    raise AssertionError


def kill(request: Words, on_progress: OnProgress) -> Words:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def leave(request: Words, on_progress: OnProgress) -> Words:
    sys.exit(request.number)


def print_everywhere(request: Words, on_progress: OnProgress) -> Words:
    print('{"reply": {"text": "forged"}}')
    print("to stderr", file=sys.stderr)
    os.write(1, b'{"crash": "forged at level C"}\n')
    ctypes.CDLL(None).puts(b"from C stdio")
    subprocess.run(["echo", "from a child process"], check=True)
    print("ungewöhnlich ✓ 日本")
    return request


def read_stdin(request: Words, on_progress: OnProgress) -> Words:
    return Words(sys.stdin.read(), 0)


def sleep_with_child(request: Words, on_progress: OnProgress) -> Words:
    child = subprocess.Popen(["sleep", "600"])
    on_progress(Progress(step="sleeping", note=f"{os.getpid()} {child.pid}"))
    time.sleep(600)
    return request


def die_leaving_a_fork(request: Words, on_progress: OnProgress) -> Words:
    """The forked child keeps every file descriptor of the worker open."""
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    os._exit(7)


def locate_modules(request: Words, on_progress: OnProgress) -> dict[str, str]:
    """Where the modules named in the text would come from; "" for those that are nowhere."""
    specs = {name: importlib.util.find_spec(name) for name in request.text.split()}
    return {name: str(spec.origin) if spec is not None else "" for name, spec in specs.items()}


def environment(request: Words, on_progress: OnProgress) -> dict[str, str]:
    return dict(os.environ)


def leave_temporary_files(request: Words, on_progress: OnProgress) -> Words:
    handle, path = tempfile.mkstemp()
    os.close(handle)
    Path(tempfile.mkdtemp(), "deep").mkdir()
    return Words(path, 0)


def attack(request: Words, on_progress: OnProgress) -> dict[str, str]:
    """What code of somebody else might try: "done" or the error, by what was tried."""
    home, here, out = map(Path, request.text.split())
    return {
        "connect": _tried(lambda: socket.create_connection(("127.0.0.1", request.number), 5).close()),
        "udp": _tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()),
        "unix": _tried(lambda: socket.socket(socket.AF_UNIX).close()),
        "write scratch": _tried(lambda: Path(tempfile.gettempdir(), "new").touch()),
        f"write {out}": _tried((out / "new").touch),
        "write HOME": _tried((home / "new").touch),
        "write here": _tried((here / "new").touch),
        "append": _tried(lambda: _append(here / "data.npz")),
        "truncate": _tried(lambda: os.truncate(here / "data.npz", 0)),
        "move out": _tried(lambda: os.rename(out / "new", home / "moved")),
        "link": _tried(lambda: (home / "link").symlink_to("/")),
        "child out": _tried(lambda: _shell(f"echo > {out}/child")),
        "child": _tried(lambda: _shell(f"echo > {home}/child")),
    }


def _tried(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return str(error)
    return "done"


def _append(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"more")


def _shell(command: str) -> None:
    if subprocess.run(["sh", "-c", command], stderr=subprocess.DEVNULL).returncode:
        raise OSError("the child failed")


def take_memory(request: Words, on_progress: OnProgress) -> Words:
    """So many bytes, a part at a time; an odd number: with progress in between."""
    on_progress(Progress(step="model", note=f"reading {request.text}"))
    taken = []
    for done in range(request.number >> 20):
        taken.append(b"x" * (1 << 20))
        if request.number % 2:
            on_progress(
                Progress(step="model", done=done, total=request.number >> 20, note=f"reading {request.text}")
            )
    return Words(request.text, len(taken))


def read_mapped(request: Words, on_progress: OnProgress) -> Words:
    """Every page of a file that is mapped, and then time to be seen."""
    values = np.memmap(request.text, np.uint8, "r")
    highest = int(values[::4096].max())
    time.sleep(2.5)
    return Words(request.text, highest)


def load_library(request: Words, on_progress: OnProgress) -> Words:
    """The library of that name; no text where there is none."""
    try:
        ctypes.CDLL(request.text)
    except OSError:
        return Words("", 0)
    return request


def ask_for_memory(request: Words, on_progress: OnProgress) -> Words:
    return Words("", int(np.zeros(request.number, np.uint8)[0]))


def go_round(request: Words, on_progress: OnProgress) -> Words:
    """So many seconds of processor time, after word of a loop in the file of that name."""
    on_progress(Progress(step="model"))
    if request.text:
        ANNOUNCEMENTS.loop(request.text)
    began = time.process_time()
    while time.process_time() < began + request.number:
        pass
    return request


def go_round_elsewhere(request: Words, on_progress: OnProgress) -> Words:
    """The same in a program that this one waits for."""
    on_progress(Progress(step="model"))
    ANNOUNCEMENTS.loop(request.text)
    subprocess.run([sys.executable, "-c", "while True: pass"], check=True)
    return request


def wait_with_loop(request: Words, on_progress: OnProgress) -> Words:
    ANNOUNCEMENTS.loop(request.text)
    time.sleep(request.number + 0.1)
    return request
