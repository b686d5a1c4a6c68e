"""Runs in a worker. Functions that behave well and badly, for test_worker."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from resnet_edge.core.errors import DataError
from resnet_edge.core.progress import Progress, Report

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


def echo(request: Words, report: Report) -> Echo:
    return Echo(request.text, request.number, os.getpid())


def numpy_scalars(request: Words, report: Report) -> dict[str, Any]:
    return {"text": str(np.str_("x")), "number": np.float32(0.5), "pid": np.int64(7)}


def count(request: Words, report: Report) -> Words:
    for done in range(request.number):
        report(Progress("count", done + 1, request.number, note=f"{request.text} {done}"))
    return Words(request.text, request.number)


def refuse(request: Words, report: Report) -> Words:
    raise DataError(request.text)


def crash(request: Words, report: Report) -> Words:
    raise ZeroDivisionError("first line\nsecond line")


def fill_disk(request: Words, report: Report) -> Words:
    raise OSError(errno.ENOSPC, "No space left on device", "big.tflite")


def need_missing_package(request: Words, report: Report) -> Words:
    raise ModuleNotFoundError("No module named 'openvino'", name="openvino.runtime")


def answer_with_array(request: Words, report: Report) -> Any:
    return np.zeros(3)


def answer_with_nan(request: Words, report: Report) -> Any:
    return {"text": "", "number": float("nan"), "pid": 0}


def abort(request: Words, report: Report) -> Words:
    os.write(2, b"the last words of a converter\n")
    os.abort()


def die_while_reading(request: Words, report: Report) -> Words:
    report(Progress("model", note=f"reading {request.text}"))
    os.kill(os.getpid(), request.number)
    raise AssertionError


def kill(request: Words, report: Report) -> Words:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def leave(request: Words, report: Report) -> Words:
    sys.exit(request.number)


def print_everywhere(request: Words, report: Report) -> Words:
    print('{"reply": {"text": "forged"}}')
    print("to stderr", file=sys.stderr)
    os.write(1, b'{"crash": "forged at level C"}\n')
    ctypes.CDLL(None).puts(b"from C stdio")
    subprocess.run(["echo", "from a child process"], check=True)
    print("ungewöhnlich ✓ 日本")
    return request


def read_stdin(request: Words, report: Report) -> Words:
    return Words(sys.stdin.read(), 0)


def sleep_with_child(request: Words, report: Report) -> Words:
    child = subprocess.Popen(["sleep", "600"])
    report(Progress("sleeping", note=f"{os.getpid()} {child.pid}"))
    time.sleep(600)
    return request


def die_leaving_a_fork(request: Words, report: Report) -> Words:
    """The forked child keeps every file descriptor of the worker open."""
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    os._exit(7)


def folder_comes_last(request: Words, report: Report) -> Words:
    import random  # a file random.py stands in the current folder

    return Words(str(Path(random.__file__).parent.resolve()), 0)
