"""Runs on a machine of a cluster. Tasks that read and write files, and end well and badly."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.workers.progress import OnProgress
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class Copied:
    out: str
    size: int
    inside: tuple[str, ...]
    token: str
    process: int = 0


@dataclass(frozen=True, kw_only=True)
class CopyFile(
    Task[Copied], runs="tests.workers.cluster.probes:copy", reads=("path",), writes=("out", "folder")
):
    """`path` to `out`, and its halves into `folder`; `then` says how it ends, and `seconds` after which
    time."""

    path: str
    out: str
    folder: str
    then: str = "well"
    seconds: float = 0.0


def copy(request: CopyFile, on_progress: OnProgress) -> Copied:
    content = Path(request.path).read_bytes()
    time.sleep(request.seconds)
    if request.then == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if request.then == "refuses":
        raise DataError(f"{request.path} does not fit {request.out}")
    Path(request.out).write_bytes(content)
    halves = [Path(request.folder) / name for name in ("first", "second")]
    for half, part in zip(halves, (content[: len(content) // 2], content[len(content) // 2 :]), strict=True):
        half.write_bytes(part)
    return Copied(
        out=request.out,
        size=len(content),
        inside=tuple(map(str, halves)),
        token=os.environ.get("RAY_AUTH_TOKEN", "") + os.environ.get("RAY_AUTH_TOKEN_PATH", ""),
        process=os.getpid(),
    )
