"""Images and labels: what every loader gives, and what must hold of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.data.encoded import EncodedImages
from resnet_edge.workers.progress import Progress

Split = Literal["train", "test"]


@dataclass(frozen=True)
class ImageSet:
    """Images in memory, memory-mapped, or photos that are decoded when they are asked for.

    `images`: (N, H, W, C), uint8, or float32 as the user gave it. `labels`: (N,) int64, or, of several labels
    per image, (N, labels) of 0 and 1, or None. `class_names`: one name per class, empty where nothing names
    them. `source`: the words that the report uses. `files`: the path of each in its folder, empty where
    images have no files of their own."""

    images: NDArray[np.uint8] | NDArray[np.float32] | EncodedImages
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    source: str
    files: tuple[str, ...] = field(default=(), kw_only=True)

    def __len__(self) -> int:
        return len(self.images)


def on_stderr(news: Progress) -> None:
    """The report that prints the lines meant to stay."""
    if news.line:
        print(news.note, file=sys.stderr, flush=True)  # noqa: T201  a download is never silent


def check_class_numbers(labels: NDArray[np.int64], source: str) -> None:
    """Raise DataError where labels (N,) (not those of several per image), of classes that nothing names, tell
    of more classes than there are images: a network that is made for them would have that many outputs, most
    of which no image shows."""
    if labels.ndim == 1 and labels.size and labels.max() >= labels.size:
        raise DataError(
            f"{source} has class {labels.max()} at image {labels.argmax()}, and {labels.size} images in all: "
            "number the classes from 0 on without gaps, or name them in 'class_names'"
        )


def check_size(size: tuple[int, ...], source: str, shape: tuple[int, int, int] | None) -> None:
    """Raise DataError where images of `size` (H, W, C) are not what a model takes (None: any)."""
    if shape is not None and size != shape:
        have, need = ("x".join(map(str, one)) for one in (size, shape))
        raise DataError(f"{source} holds {have} images, and the model takes {need}: resize them first")
