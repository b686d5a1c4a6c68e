"""A photo that is a header and nothing else."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path


def png_of(path: Path, width: int, height: int) -> Path:
    """A PNG that declares so many grey pixels, and holds none."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b""))
    return path


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
