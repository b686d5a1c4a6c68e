"""Runs in a worker. The held-out images in batches, which `model.fit` measures the network on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.training.placement import Placement
from resnet_edge.training.training_data import LabelledImages

BATCH = 500
Batch = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32] | None]
"""(B, H, W, C) raw pixels, the labels, and the weight of each image (None: all count alike)."""


class HeldOut:
    """All of the images, in order, in batches that divide among the devices.

    The last batch may have to be filled up, with images of weight 0. A loss is the mean over the images of a
    batch, and Keras' over the batches counts what was filled in; the others weigh so much more that it is the
    mean over the images that there are.
    """

    def __init__(self, images: LabelledImages, placement: Placement) -> None:
        self._images, self._placement = images, placement
        self._batch = BATCH if placement.devices == 1 else _divisible(len(images), placement.devices)

    @property
    def steps(self) -> int:
        """How many batches there are."""
        return math.ceil(len(self._images) / self._batch)

    def batches(self) -> Iterator[Batch]:
        """What this process feeds of them, again and again."""
        for _ in repeat(None):
            for start in range(0, len(self._images), self._batch):
                yield self._one(np.arange(start, start + self._batch))

    def _one(self, rows: NDArray[Any]) -> Batch:
        count = len(self._images)
        if self._placement.devices == 1:
            rows = rows[rows < count]
            weights = None
        else:
            rows = rows[self._placement.share(self._batch)]
            weights = np.where(rows < count, self.steps * self._batch / count, 0.0).astype(np.float32)
            rows = np.minimum(rows, count - 1)
        return self._images.images[rows].astype(np.float32), self._images.labels[rows], weights


def _divisible(images: int, devices: int) -> int:
    """The size of batches: BATCH or a few more, no more than there are images but for those filled in."""
    return math.ceil(min(BATCH, images) / devices) * devices
