"""Runs in the parent. How large a file is on its way to a device: stores send it compressed."""

from __future__ import annotations

import zlib
from pathlib import Path

from resnet_edge.core.errors import OutputError

GZIP = 31
"""The `wbits` of zlib that make a gzip file of the result."""


def gzip_bytes(path: Path) -> int:
    """The size of the gzip of a file, at the highest level, as in State.gzip_bytes. Raises OutputError."""
    packer, size = zlib.compressobj(9, zlib.DEFLATED, GZIP), 0
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                size += len(packer.compress(block))
    except OSError as error:
        raise OutputError(f"{path} cannot be read back ({error.strerror}): choose another --out") from error
    return size + len(packer.flush())
