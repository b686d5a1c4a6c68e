"""Histograms of one tensor, channel by channel, whose range grows as values come in.

Counts are exact: a bin is never split and no value is counted twice. The width of a channel's
bins is a power of two and their edges are its multiples, so that doubling the width merges
bins in pairs; nothing that was counted has to be seen again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 512
"""Bins of a channel, half of them below zero; its largest value lies in the outer quarter of a
half. 42,000 channels, as many as a ResNet-50 has, take 86 MB."""
SMALLEST = -100
"""The exponent of the narrowest bins: its inverse must be a float32 too."""
GRID = 2048
"""Bins of a whole tensor, over its range."""


@dataclass(frozen=True)
class Distribution:
    """How the values of a whole tensor are spread over [`low`, `high`], float64: `counts`
    (GRID,) in bins of equal width, without the exact zeros, of which there are `zeros`."""

    low: float
    high: float
    counts: NDArray[np.float64]
    zeros: float

    @property
    def edges(self) -> NDArray[np.float64]:
        """The GRID + 1 edges of the bins."""
        return np.linspace(self.low, self.high, len(self.counts) + 1)


class Histogram:
    """Counts of the values of `channels` channels; see the module."""

    def __init__(self, channels: int) -> None:
        self.counts = np.zeros((channels, BINS), np.uint32)
        self.exponents = np.full(channels, SMALLEST, np.int64)
        self.zeros = 0
        self._empty = True
        self._refresh()

    def add(self, rows: NDArray[np.float32], largest: NDArray[np.floating[Any]]) -> None:
        """Count `rows` (n, channels), all finite; `largest` (channels,) bounds their magnitude."""
        if (largest >= self.bounds).any():
            self._grow(np.asarray(largest, np.float64))
        scaled = rows * self.inverses
        bins = np.floor(scaled, out=scaled).astype(np.intp)
        # A value that rounding has put onto the outer edge belongs inside of it.
        np.clip(bins, -BINS // 2, BINS // 2 - 1, out=bins)
        bins += np.arange(len(self.counts)) * BINS + BINS // 2
        np.add.at(self.counts.reshape(-1), bins.reshape(-1), np.uint32(1))
        self._empty = False
        self.zeros += rows.size - int(np.count_nonzero(rows))

    def _grow(self, largest: NDArray[np.float64]) -> None:
        """Widen the bins of channels in which a value does not fit."""
        mantissa, exponent = np.frexp(largest)  # largest < 2**exponent
        needed = np.where(mantissa > 0, exponent - (BINS.bit_length() - 2), SMALLEST)
        if self._empty:  # nothing to merge, and the first image widens every channel
            self.exponents = np.maximum(self.exponents, needed).astype(np.int64)
        for channel in np.flatnonzero(needed > self.exponents):
            self._merge(int(channel), int(needed[channel] - self.exponents[channel]))
        self._refresh()

    def _refresh(self) -> None:
        """What follows from the exponents: the magnitudes that fit, and bins per unit."""
        self.bounds = np.exp2(self.exponents.astype(np.float64)) * (BINS // 2)
        self.inverses = np.exp2(-self.exponents.astype(np.float64)).astype(np.float32)

    def _merge(self, channel: int, doublings: int) -> None:
        old = self.counts[channel].copy()
        target = (np.arange(-BINS // 2, BINS // 2) >> min(doublings, 62)) + BINS // 2
        self.counts[channel] = 0
        np.add.at(self.counts[channel], target, old)
        self.exponents[channel] += doublings

    def distribution(
        self, low: NDArray[np.float64], high: NDArray[np.float64], scales: NDArray[np.float64]
    ) -> Distribution:
        """The whole tensor if channel c were multiplied by `scales[c]` (> 0); `low` and `high`
        are the extremes of each channel before that."""
        channels, bins = np.nonzero(self.counts)
        width = np.exp2(self.exponents.astype(np.float64))
        centres = (bins - BINS // 2 + 0.5) * width[channels]
        centres = np.clip(centres, low[channels], high[channels]) * scales[channels]
        first, last = float((low * scales).min()), float((high * scales).max())
        counts = self.counts[channels, bins].astype(np.float64)
        if last <= first:  # one value throughout
            return Distribution(first, last, np.zeros(GRID), float(self.zeros))
        place = np.minimum(((centres - first) * (GRID / (last - first))).astype(np.intp), GRID - 1)
        spread = np.bincount(place, counts, GRID).astype(np.float64)
        return Distribution(first, last, _without(spread, self.zeros, first, last), float(self.zeros))


def _without(counts: NDArray[np.float64], zeros: int, low: float, high: float) -> NDArray[np.float64]:
    """`counts` less the exact zeros, which stand in the bins next to zero."""
    if not zeros:
        return counts
    left = float(zeros)
    start = int(np.clip((0.0 - low) / (high - low) * GRID, 0, GRID - 1))
    for index in range(start, GRID):  # the centre of their bin is above zero, by half of its width
        taken = min(left, counts[index])
        counts[index] -= taken
        left -= taken
        if left <= 0:
            break
    return counts
