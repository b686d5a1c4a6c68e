"""Images and labels, from wherever the user has them, as arrays.

One loader per file; `load` picks by what the DATA word looks like (contract: DATA).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.progress import Progress, Report

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


def on_stderr(news: Progress) -> None:
    """The report that prints the lines meant to stay."""
    if news.line:
        print(news.note, file=sys.stderr, flush=True)  # noqa: T201  a download is never silent


def load(
    data: str,
    split: Split,
    shape: tuple[int, int, int] | None = None,
    scratch: Path | None = None,
    report: Report = on_stderr,
) -> ImageSet:
    """Load DATA: `fashion-mnist[:FOLDER]`, an `.npz` file or a folder of images.

    `split` chooses between the training and the test images of a data set that has both; a
    file or folder of the user's is the same for either. `shape` (H, W, C) is what the model
    takes: images in a folder are decoded and resized to it; arrays must already have it.
    `scratch` is a folder for the decoded images, and for the arrays of an archive (they are
    memory-mapped, never all in memory). `report` hears of a download. Files whose headers do not have that
    shape are not unpacked, to a thousand times their size. Raises DataError.
    """
    word, _, place = data.partition(":")
    path = Path(data)
    if word == "fashion-mnist":
        from resnet_edge.data import fashion_mnist

        named = Path(os.path.expanduser(place)) if place else None
        if named is not None:
            check_size((*fashion_mnist.look(split, named)[1:], 1), f"{word} ({split})", shape)
        found = fashion_mnist.load(split, named, report)
    elif data and path.is_dir():
        from resnet_edge.data import folder

        found = folder.load(path, shape, scratch)
    elif path.suffix == ".npz" and path.is_file():
        from resnet_edge.data import npz

        found = npz.load(path, scratch, shape)
    else:
        raise DataError(_no_data(data, path))
    return _fitting(found, shape)


def _no_data(data: str, path: Path) -> str:
    forms = (
        "give 'fashion-mnist', a folder of images, or an .npz file with 'images' (N,H,W,C) and, "
        "optionally, 'labels' (N,)"
    )
    if path.suffix == ".npz":
        return f"the data file {data} does not exist: {forms}"
    return f"{data!r} is no data: {forms}"


def check_class_numbers(labels: NDArray[np.int64], source: str) -> None:
    """Raise DataError where labels (N,), of classes that nothing names, tell of more classes than there are
    images: a network that is made for them would have that many outputs, most of which no image shows."""
    if labels.size and labels.max() >= labels.size:
        raise DataError(
            f"{source} has class {labels.max()} at image {labels.argmax()}, and {labels.size} images in all: "
            "number the classes from 0 on without gaps, or name them in 'class_names'"
        )


def _fitting(found: ImageSet, shape: tuple[int, int, int] | None) -> ImageSet:
    if found.images.size == 0:
        raise DataError(f"{found.source} holds no image")
    check_size(found.images.shape[1:], found.source, shape)
    return found


def check_size(size: tuple[int, ...], source: str, shape: tuple[int, int, int] | None) -> None:
    """Raise DataError where images of `size` (H, W, C) are not what a model takes (None: any)."""
    if shape is not None and size != shape:
        have, need = ("x".join(map(str, one)) for one in (size, shape))
        raise DataError(f"{source} holds {have} images, and the model takes {need}: resize them first")
