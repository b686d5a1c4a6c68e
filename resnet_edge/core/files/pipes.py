"""Files that may never end, or never begin: what is read to its end must not be one of them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_OF_A_SHELL = ("/dev/fd/", "/dev/stdin", "/proc/")
_OTHERS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_no_pipe(path: Path) -> None:
    """Raise OSError where `path` is a named pipe or a device, or a link to one, as an archive that somebody
    sent can hold: nobody may ever write to it, or it may never end, and opening or reading it would wait.
    What a shell pipes (`<(command)`) has its writer."""
    mode = 0 if str(path).startswith(_OF_A_SHELL) else os.stat(path).st_mode
    for is_one, what in _OTHERS:
        if is_one(mode):
            raise OSError(errno.EINVAL, f"it is {what}, and no file", str(path))
