"""Files and folders that are whole or not there."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_BEGIN, _END = ".resnet-edge.", ".unfinished"
_HIDDEN = re.compile(rf"\.(.+)\.[0-9a-f]{{8}}{re.escape(_END)}")


def hidden(out: Path) -> Path:
    """Beside `out` a new name for what gets that name once it is whole."""
    return out.with_name(f".{out.name}.{secrets.token_hex(4)}{_END}")


def with_final_names(text: str, folders: Iterable[str]) -> str:
    """The text with the name that each of `folders` will have where it is `hidden`: the user named that one,
    and finds that one, or nothing."""
    for name in map(os.path.basename, folders):
        if match := _HIDDEN.fullmatch(name):
            text = text.replace(name, match[1])
    return text


def take_name(temporary: Path, name: Path) -> None:
    """Give `temporary` its `name`, in place of a file or an empty folder of that name: whoever looks sees
    the old one or the new one. Both are on one file system. Raises OSError."""
    os.replace(temporary, name)


def name_too(file: Path, name: Path) -> None:
    """Give `file` the new `name` beside its own, or a copy where the file system knows no links. Raises
    OSError."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copyfile(file, name)


def write_whole(path: Path, content: bytes) -> None:
    """Write beside `path` and rename: whoever looks sees the old file or the new one. Raises OSError."""
    part = path.with_name(f"{_BEGIN}{secrets.token_hex(4)}{_END}")
    try:
        part.write_bytes(content)
        take_name(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Whether it is what a run that was killed left of `write_whole`."""
    return path.name.startswith(_BEGIN) and path.name.endswith(_END)


def sweep_parts(folder: Path) -> None:
    """Remove such parts from a folder in which nobody else writes. Raises OSError."""
    for entry in folder.iterdir():
        if is_part(entry):
            entry.unlink(missing_ok=True)
