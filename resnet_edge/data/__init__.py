"""Images and labels, from wherever the user has them, as arrays.

One loader per file; `load` picks by what the DATA word looks like (contract: DATA).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError

Split = Literal["train", "test"]


@dataclass(frozen=True)
class ImageSet:
    """Images in memory or memory-mapped.

    `images`: (N, H, W, C), uint8, or float32 as the user gave it. `labels`: (N,) int64 or
    None. `class_names`: one name per class, empty where nothing names them. `source`: the
    words that the report uses.
    """

    images: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    source: str

    def __len__(self) -> int:
        return len(self.images)


def load(
    data: str, split: Split, shape: tuple[int, int, int] | None = None, scratch: Path | None = None
) -> ImageSet:
    """Load DATA: `fashion-mnist[:FOLDER]`, an `.npz` file or a folder of images.

    `shape` (H, W, C) is what the model takes: images in a folder are decoded and resized to
    it; arrays must already have it. `scratch` is a folder for the decoded images (they are
    memory-mapped, never all in memory). Raises DataError.
    """
    if data == "fashion-mnist" or data.startswith("fashion-mnist:"):
        from resnet_edge.data import fashion_mnist

        found = fashion_mnist.load(split, Path(data.partition(":")[2]) if ":" in data else None)
    else:
        path = Path(data)
        if path.is_dir():
            from resnet_edge.data import folder

            found = folder.load(path, shape, scratch)
        elif path.suffix == ".npz" and path.is_file():
            from resnet_edge.data import npz

            found = npz.load(path)
        else:
            raise DataError(
                f"{data!r} is no data: give 'fashion-mnist', a folder of images, or an .npz "
                "file with 'images' (N,H,W,C) and, optionally, 'labels' (N,)"
            )
    return _fitting(found, shape)


def _fitting(found: ImageSet, shape: tuple[int, int, int] | None) -> ImageSet:
    if len(found) == 0:
        raise DataError(f"{found.source} holds no image")
    if shape is not None and found.images.shape[1:] != shape:
        have = "x".join(map(str, found.images.shape[1:]))
        need = "x".join(map(str, shape))
        raise DataError(f"{found.source} holds {have} images, and the model takes {need}: resize them first")
    return found
