"""Whether a model file has a loop whose end no look at it can tell (workers/loop_time.py).

Told from what the file lists, without reading its graph: a runtime is timed and weighed in the same process,
and the libraries that read graphs would be seen in that.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from resnet_edge.graph import flat

# tensorflow/lite/schema/schema.fbs: slots in bytes of the table's index, and values of BuiltinOperator.
OPERATOR_CODES, OLD_CODE, CODE = 6, 4, 10
WHILES = frozenset({119, 200})

NAMED = re.compile(rb"(?:\x04|\x84\x80{0,8}\x00|\x04\x00\x00\x00)(?:Loop|Scan)")
"""The type of a node with the length in front, as protobuf writes it, or could, and flatbuffers in an .ort
file. 100 MB of weights hold these bytes by chance once in 5,000 files, which are then timed, not refused."""

BLOCK, LONGEST = 1 << 20, 32
"""Bytes that are read together, and more than NAMED can match."""


@lru_cache(maxsize=64)
def has_loop(path: str) -> bool:
    """Of a .tflite, .onnx or .ort file; True where it is too damaged to tell, False where it cannot be read,
    which whoever opens it says better."""
    try:
        with Path(path).open("rb") as stream:
            return _whiles(stream) if path.lower().endswith(".tflite") else _loops(stream)
    except (OSError, ValueError):  # mmap's of an empty file, too
        return False
    except struct.error:
        return True


def _loops(stream: BinaryIO) -> bool:
    """A block at a time: what is mapped would count as memory that the runtime takes."""
    before = b""
    while block := stream.read(BLOCK):
        if NAMED.search(before + block):
            return True
        before = block[-LONGEST:]
    return False


def _whiles(stream: BinaryIO) -> bool:
    """By the table of operators alone."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(code in WHILES for code in _operators(content))


def _operators(content: mmap.mmap) -> Iterator[int]:
    """The kinds of operators that the file has. Raises struct.error where its tables lead outside."""
    for table in flat.tables(content, flat.root(content), OPERATOR_CODES):
        old, new = flat.field(content, table, OLD_CODE), flat.field(content, table, CODE)
        yield max(
            0 if old is None else struct.unpack_from("<b", content, old)[0],
            0 if new is None else struct.unpack_from("<i", content, new)[0],
        )
