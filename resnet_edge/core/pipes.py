"""Files that may never end, or never begin: what is read to its end must not be one of them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_OF_A_SHELL = ("/dev/fd/", "/proc/")


def check_no_pipe(path: Path) -> None:
    """Raise OSError where `path` is a named pipe: nobody may ever write to it, and opening it would wait. One
    that a shell made (`<(command)`) has its writer. An archive that somebody sent can hold one."""
    if not str(path).startswith(_OF_A_SHELL) and stat.S_ISFIFO(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is a named pipe, and no file", str(path))
