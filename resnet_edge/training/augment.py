"""Runs in a worker. Random changes of training images, a batch at a time, in numpy.

Each transformation maps those rows of a batch that this process feeds, (n, H, W, C), to the same shape. The
random state is derived from (seed, epoch, batch), and every process draws for the whole batch, so that a run
resumed at epoch k, or by another number of processes, sees exactly what an uninterrupted run would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from resnet_edge.data.encoded import ImageRows

Images = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """The rows `fed` of a batch of `of`."""

    of: int
    fed: slice


Transformation = Callable[[Images, Rows, np.random.Generator], Images]


def flip(images: Images, rows: Rows, random: np.random.Generator) -> Images:
    """Mirror half of the images left to right."""
    chosen = random.random(rows.of)[rows.fed] < 0.5
    return np.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def crop(images: Images, rows: Rows, random: np.random.Generator) -> Images:
    """Shift by up to one eighth of the size in each direction; zeros come in at the edge."""
    n, height, width, _ = images.shape
    pad_h, pad_w = max(1, height // 8), max(1, width // 8)
    padded = np.pad(images, ((0, 0), (pad_h, pad_h), (pad_w, pad_w), (0, 0)))
    down = random.integers(0, 2 * pad_h + 1, rows.of)[rows.fed, None] + np.arange(height)
    right = random.integers(0, 2 * pad_w + 1, rows.of)[rows.fed, None] + np.arange(width)
    shifted: Images = padded[np.arange(n)[:, None, None], down[:, :, None], right[:, None, :]]
    return shifted


def erase(images: Images, rows: Rows, random: np.random.Generator) -> Images:
    """Random erasing of half of the images (Zhong et al., arXiv:1708.04896): one rectangle
    of 2 to 33 % of the area, filled with noise."""
    n, height, width, channels = images.shape
    images = images.copy()
    first = rows.fed.indices(rows.of)[0]
    for row in np.flatnonzero(random.random(rows.of) < 0.5) - first:
        area = random.uniform(0.02, 0.33) * height * width
        ratio = math.exp(random.uniform(math.log(0.3), math.log(1 / 0.3)))
        h = min(height, max(1, round(math.sqrt(area * ratio))))
        w = min(width, max(1, round(math.sqrt(area / ratio))))
        top, left = random.integers(0, height - h + 1), random.integers(0, width - w + 1)
        noise = random.integers(0, 256, (h, w, channels))
        if 0 <= row < n:
            images[row, top : top + h, left : left + w] = noise
    return images


TRANSFORMATIONS: dict[str, Transformation] = {"flip": flip, "crop": crop, "erase": erase}
"""By the names of training.recipe.AUGMENTATIONS, which the parent holds options to."""


class AugmentedBatches:
    """Shuffled, augmented batches of (float32 images, int labels), by epoch and number.

    An incomplete last batch is left out. `share` tells which rows of a batch of that size come (None: all).
    Raises UnknownName.
    """

    def __init__(
        self,
        images: ImageRows,
        labels: NDArray[np.int64],
        batch_size: int,
        names: Sequence[str],
        seed: int,
        share: Callable[[int], slice] | None = None,
    ) -> None:
        self._images, self._labels = images, labels
        self._batch_size = min(batch_size, len(images))
        self._rows = Rows(self.batch_size, slice(None) if share is None else share(self.batch_size))
        self._steps = [TRANSFORMATIONS[name] for name in names]
        self._seed = seed

    @property
    def batch_size(self) -> int:
        """Of a whole batch."""
        return self._batch_size

    def __len__(self) -> int:
        return len(self._images) // self._batch_size

    def epochs(self, first: int) -> Iterator[tuple[Images, NDArray[np.int64]]]:
        """The batches of epoch `first` (from 0) and of all that follow it, without end."""
        for epoch in count(first):
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._images))
            for index in range(len(self)):
                yield self._batch(order, epoch, index)

    def _batch(self, order: NDArray[np.int64], epoch: int, index: int) -> tuple[Images, NDArray[np.int64]]:
        rows = order[index * self._batch_size : (index + 1) * self._batch_size][self._rows.fed]
        images = self._images[rows].astype(np.float32)
        random = np.random.default_rng((self._seed, epoch, index))
        for step in self._steps:
            images = step(images, self._rows, random)
        return images, self._labels[rows]
