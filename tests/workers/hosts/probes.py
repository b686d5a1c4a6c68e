"""Runs on a host. Tasks that read and write files, well and badly."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.workers.progress import OnProgress, Progress
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class Joined:
    out: str
    size: int
    beside: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Join(Task[Joined], runs="tests.workers.hosts.probes:join", reads=("files", "maybe"), writes=("out",)):
    """All `files` in one; `then` says how it ends."""

    files: tuple[str, ...]
    out: str
    maybe: str | None = None
    then: str = "well"


def join(request: Join, on_progress: OnProgress) -> Joined:
    on_progress(Progress(step="join", done=0, total=len(request.files)))
    content = b"".join(Path(file).read_bytes() for file in request.files)
    if request.then == "sleeps":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        time.sleep(600)
    if request.then == "refuses":
        raise DataError(f"{request.files[0]} does not fit {request.out}")
    if request.then == "crashes":
        raise ValueError(f"no good: {request.files[0]}")
    Path(request.out).write_bytes(content)
    beside = tuple(sorted(file.name for file in Path(request.files[0]).parent.iterdir()))
    return Joined(out=request.out, size=len(content), beside=beside)
