"""One file that a user names: refused before the work begins, and whole or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

from resnet_edge.core.errors import OutputError, UsageError
from resnet_edge.core.files.atomic import write_whole as write_whole_bytes
from resnet_edge.core.files.overwrite import check_file


def check_page(option: str, path: Path, overwrite: bool) -> None:
    """As check_writable, of a page. Raises UsageError, too."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{option} {path}: the page needs a name that ends in .html")
    check_writable(option, path, overwrite)


def check_writable(option: str, path: Path, overwrite: bool) -> None:
    """Refuse what can be refused at once; `option` is how the user named the file. Raises OutputError."""
    try:
        target = Path(os.path.realpath(path))
        reason = _why_not(target)
    except (OSError, ValueError) as error:  # a name too long, or with a null in it
        reason = getattr(error, "strerror", None) or str(error)
    if reason:
        raise OutputError(f"{option} {path} cannot be written: {reason}")
    check_file(option, path, overwrite)


def _why_not(target: Path) -> str:
    folder = target.parent
    if target.is_dir():
        return "it is a folder; name a file in it"
    if target.exists() and not target.is_file():
        return "it is no ordinary file; name another"
    if folder.exists() and not folder.is_dir():
        return f"{folder} is a file; name another folder"
    if not folder.is_dir():
        return f"the folder {folder} does not exist; make it first"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} is not writable; name another"
    return ""


def write_whole(option: str, path: Path, text: str) -> None:
    """Write beside the file and rename: whoever looks sees the old one or the new one. Raises OutputError."""
    try:
        write_whole_bytes(
            Path(os.path.realpath(path)), text.encode()
        )  # a link stays, and leads to the new file
    except OSError as error:
        why = error.strerror or error
        raise OutputError(
            f"{option} {path} cannot be written: {why}; free the disk or name another file"
        ) from error
