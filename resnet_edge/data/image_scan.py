"""One pass over images on disk: their extremes, what each is by its hash, and a sample of the pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.data.blocks import blocks
from resnet_edge.data.image_file import mapped
from resnet_edge.data.rows import evenly

SAMPLED, PIXELS = 512, 4096
"""Images of which quantiles are taken, and pixels of each: 2 million at most, a tenth of a second."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The extremes of all values; `spans` (N,), largest less smallest value of each image; `digests`
    of the images in their order; `pixels` (sampled images, pixels, C)."""

    low: float
    high: float
    spans: NDArray[np.float64]
    digests: tuple[bytes, ...]
    pixels: NDArray[np.float32]

    @property
    def n(self) -> int:
        """How many images there are."""
        return len(self.digests)

    @property
    def quantiles(self) -> NDArray[np.float64]:
        """The distribution of each channel (7, C) at a few points."""
        values = self.pixels.reshape(-1, self.pixels.shape[-1])
        return np.quantile(values, (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99), axis=0).astype(np.float64)


def scan(path: Path, only: Container[bytes] | None = None) -> Scan:
    """Read the images once. With `only`, other digests are left out, as b"": those of 50,000 images
    would take memory for nothing."""
    low, high = np.inf, -np.inf
    spans: list[NDArray[np.float64]] = []
    digests: list[bytes] = []
    pixels: list[NDArray[np.float32]] = []
    head = mapped(path)
    chosen, places = evenly(len(head), SAMPLED), _places(head.shape[1:-1])
    for block in blocks(path):
        rows = block.reshape(len(block), -1)
        smallest, largest = rows.min(axis=1).astype(np.float64), rows.max(axis=1).astype(np.float64)
        low, high = min(low, float(smallest.min())), max(high, float(largest.max()))
        spans.append(largest - smallest)
        here = chosen[(chosen >= len(digests)) & (chosen < len(digests) + len(block))] - len(digests)
        seen = block[here].reshape(len(here), -1, block.shape[-1])[:, places]
        pixels.append(seen.astype(np.float32))
        row_digests = (digest(row) for row in rows)
        digests += row_digests if only is None else (one if one in only else b"" for one in row_digests)
    empty = np.empty((0, len(places), head.shape[-1]), np.float32)
    return Scan(
        low=low,
        high=high,
        spans=np.concatenate([np.empty(0), *spans]),
        digests=tuple(digests),
        pixels=np.concatenate([empty, *pixels]),
    )


def digest(image: NDArray[Any]) -> bytes:
    """Of the pixels of one image; the same for bytes and for floats of the same values."""
    if image.dtype != np.uint8:
        whole = image.astype(np.uint8) if image.min() >= 0 and image.max() <= 255 else None
        # Adding zero makes one of the two zeros.
        image = whole if whole is not None and np.array_equal(whole, image) else image + np.float32(0)
    return hashlib.sha256(image.tobytes()).digest()[:16]


def _places(size: tuple[int, ...]) -> NDArray[np.intp]:
    """Pixels, the same in every image, drawn at random: equal distances would be columns."""
    return np.sort(np.random.default_rng(0).permutation(int(np.prod(size)))[:PIXELS]).astype(np.intp)
