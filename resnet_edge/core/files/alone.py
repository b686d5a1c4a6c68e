"""Runs in the parent. One run at a time in a folder, by a lock that goes with the process, killed or not."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from resnet_edge.core.errors import OutputError

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
"""What a file system says that has none."""


def alone(folder: Path, out: Path) -> int:
    """The lock of a folder in which no other run makes `out`; its descriptor, to be closed once the folder is
    whole or gone. Raises OutputError, OSError."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        first = folder.exists() and os.path.samestat(os.fstat(lock), folder.stat())
    except BlockingIOError:
        first = False
    except OSError as error:
        first = error.errno in WITHOUT_LOCKS
    if not first:
        os.close(lock)
        raise OutputError(f"another run is writing {out}: wait for its end, or choose another --out")
    return lock
