"""Images in blocks of bounded size: a set of 50,000 need never be in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.machine import usable_cores
from resnet_edge.data.image_file import mapped

BLOCK = 1 << 24
"""Bytes of a block, or one image where that is larger."""


def spans(count: int, bytes_each: int) -> Iterator[slice]:
    """The rows of every block of `count` rows."""
    rows = max(1, BLOCK // max(bytes_each, 1))
    return (slice(first, min(first + rows, count)) for first in range(0, count, rows))


def blocks(path: Path) -> Iterator[NDArray[Any]]:
    """The rows of a file of images, block by block, decoded by all cores. An .npy file is mapped anew for
    each: what stays mapped counts as this process's memory."""
    images = mapped(path, usable_cores())
    for span in spans(len(images), images.itemsize * int(np.prod(images.shape[1:]))):
        if isinstance(images, np.ndarray):
            images = mapped(path)
        yield np.array(images[span])
