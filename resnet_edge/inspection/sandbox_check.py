"""Runs in a worker. Whether it is really shut in: what it must not do, it tries."""

from __future__ import annotations

import socket
from pathlib import Path

from resnet_edge.core.results.examination import SandboxState
from resnet_edge.inspection.doctor import CheckSandbox
from resnet_edge.workers import sandbox
from resnet_edge.workers.progress import OnProgress


def check(request: CheckSandbox, on_progress: OnProgress) -> SandboxState:
    """Try to write into the folder, and to open a socket."""
    said = sandbox.in_force()
    files = "open" if _writes(Path(request.folder)) else said.files or "read-only"
    network = "open" if _has_sockets() else said.network or "refused"
    return SandboxState(files=files, network=network, detail=said.why_not)


def _writes(folder: Path) -> bool:
    try:
        (folder / "written").touch()
    except OSError:
        return False
    return True


def _has_sockets() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except PermissionError:
        return False
    except OSError:  # of a kind that this machine does not have
        return True
    return True
