"""The environment variables that are ours, checked once, before any work."""

from __future__ import annotations

import os
from pathlib import Path

from resnet_edge.core.errors import UsageError
from resnet_edge.workers import loop_time

_FOLDERS = tuple(f"RESNET_EDGE_{name}" for name in ("ARM64", "MEDIAPIPE", "MUSEUM", "NODE_MODULES", "VELA"))
"""Each names a folder that something is installed in."""


def check_variables() -> None:
    """Raise UsageError where one of them says what it cannot: workers would meet it late, each in its way.
    A folder that is not there yet is what the command that installs it makes."""
    loop_time.longest()
    for name in _FOLDERS:
        path = Path(os.environ.get(name) or ".")
        try:
            wrong = path.exists() and not path.is_dir()
        except OSError as error:  # a name that is longer than any
            raise UsageError(f"{name} names no folder ({error.strerror}): fix it, or unset it") from error
        if wrong:
            raise UsageError(f"{name} is {str(path)!r}, which is no folder: name one, or unset it")
