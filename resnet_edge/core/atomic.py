"""Files that are whole or not there."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write beside `path` and rename: whoever looks sees the old file or the new one. Raises OSError."""
    part = path.with_name(f".resnet-edge.{secrets.token_hex(4)}.unfinished")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
