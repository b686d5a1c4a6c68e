"""Images in blocks of bounded size: a set of 50,000 need never be in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 24
"""Bytes of a block, or one image where that is larger."""


def spans(count: int, bytes_each: int) -> Iterator[slice]:
    """The rows of every block of `count` rows."""
    rows = max(1, BLOCK // max(bytes_each, 1))
    return (slice(first, min(first + rows, count)) for first in range(0, count, rows))


def blocks(path: Path) -> Iterator[NDArray[Any]]:
    """The rows of an .npy file, block by block. The file is mapped anew for each: what stays mapped
    counts as this process's memory."""
    held = np.load(path, mmap_mode="r")
    count, bytes_each = len(held), held.itemsize * int(np.prod(held.shape[1:]))
    del held
    for span in spans(count, bytes_each):
        yield np.array(np.load(path, mmap_mode="r")[span])
