"""Runs in a worker. Images that were prepared (data/images.py), as their file gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.data.encoded import EncodedImages, ImageRows
from resnet_edge.data.images_task import ENCODED


def open_images(path: Path, threads: int = 1) -> ImageRows:
    """Images (N, H, W, C): memory-mapped ones of an .npy, or photos that `threads` threads decode when they
    are asked for. Raises DataError."""
    try:
        images = mapped(path, threads)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as images: {error}") from error
    if images.ndim != 4 or images.dtype not in (np.uint8, np.float32):
        raise DataError(
            f"{path} holds {images.dtype} {images.shape}; images are uint8 or float32 (N, H, W, C)"
        )
    if len(images) == 0:
        raise DataError(f"{path} holds no image")
    return images


def mapped(path: Path, threads: int = 1) -> ImageRows:
    """The same of a file that we have written, unchecked. Raises OSError, ValueError."""
    if path.suffix == ENCODED:
        return EncodedImages.open(path, threads)
    images: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return images
