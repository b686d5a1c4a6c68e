"""Sums of two products in 16 bits, as VPMADDUBSW makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.quantization.pair_bound import BRIGHTEST, LEAST_SUM, MOST_SUM


@dataclass(frozen=True, kw_only=True)
class PairSums:
    """The pairs of one group of a layer whose sum can be cut off: `first` and `second` are their weights,
    `at` the row of the first, `output` the channel, in whose order they stand. `pairs` counts all of them;
    `worst` is the largest sum that weights and range allow, as a multiple of what 16 bits hold."""

    at: NDArray[np.intp]
    output: NDArray[np.intp]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    pairs: int
    worst: float

    def excess(self, columns: NDArray[np.int32]) -> NDArray[np.int32]:
        """What the sums of each pair at risk exceed 16 bits by: of columns (K or K + 1, P), to (pairs, P)."""
        sums = columns[self.at] * self.first[:, None] + columns[self.at + 1] * self.second[:, None]
        cut: NDArray[np.int32] = sums - np.clip(sums, LEAST_SUM, MOST_SUM)
        return cut


def pair_sums(weights: NDArray[np.int32]) -> PairSums:
    """Of weights (K, O). Rows 0 and 1 are added first, 2 and 3, and so on; an odd one is alone."""
    even = np.pad(weights, ((0, len(weights) % 2), (0, 0)))
    first, second = even[0::2], even[1::2]
    high = BRIGHTEST * (np.maximum(first, 0) + np.maximum(second, 0))
    low = BRIGHTEST * (np.minimum(first, 0) + np.minimum(second, 0))
    output, pair = np.nonzero(((high > MOST_SUM) | (low < LEAST_SUM)).T)
    worst = max(float(high.max(initial=0)) / MOST_SUM, float(low.min(initial=0)) / LEAST_SUM)
    return PairSums(
        at=2 * pair,
        output=output,
        first=first[pair, output],
        second=second[pair, output],
        pairs=first.size,
        worst=worst,
    )
