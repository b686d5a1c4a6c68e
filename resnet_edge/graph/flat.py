"""Tables of a flatbuffer, read by hand (flatbuffers.dev/internals): not everybody who runs a TFLite file has
the package flatbuffers, and what generated code makes of a whole file takes far more memory than the file.

All raise struct.error where the file leads outside of itself.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator

Content = bytes | mmap.mmap

TABLE = 8
"""Bytes that a table takes at least, with where it is listed."""


def root(content: Content) -> int:
    """Where the outermost table is."""
    return offset(content, 0)


def tables(content: Content, table: int, slot: int) -> Iterator[int]:
    """Where the tables are that a field lists; none where it has its default."""
    at = field(content, table, slot)
    if at is None:
        return
    vector = offset(content, at)
    (length,) = struct.unpack_from("<I", content, vector)
    for row in range(vector + 4, vector + 4 + 4 * length, 4):
        yield offset(content, row)


def offset(content: Content, at: int) -> int:
    """What is at the place that is named at `at`."""
    return at + int(struct.unpack_from("<I", content, at)[0])


def field(content: Content, table: int, slot: int) -> int | None:
    """Where a field of a table is; None where it has its default."""
    index = table - struct.unpack_from("<i", content, table)[0]
    if index < 0:
        raise struct.error("an index in front of the file")
    (size,) = struct.unpack_from("<H", content, index)
    place = struct.unpack_from("<H", content, index + slot)[0] if slot < size else 0
    return table + place if place else None
