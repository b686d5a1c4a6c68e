"""Runs in a worker. Golden images as PNG files whose bytes are the same on every machine.

Encoders compress as their zlib does, and builds of that differ: Pillow brings zlib-ng, others have zlib. Here
nothing is compressed.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 3: 2}
_LONGEST = 0xFFFF
"""Bytes in a stored block (RFC 1951, 3.2.4)."""


def png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 1) or (H, W, 3) as a PNG (ISO/IEC 15948): 8 bits a sample, no filter, stored blocks."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", _stored(rows.tobytes())), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _stored(content: bytes) -> bytes:
    """A zlib stream (RFC 1950) that holds the content as it is."""
    parts = [b"\x78\x01"]
    for start in range(0, len(content), _LONGEST):
        block = content[start : start + _LONGEST]
        last = start + _LONGEST >= len(content)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    return b"".join(parts) + struct.pack(">I", zlib.adler32(content))
