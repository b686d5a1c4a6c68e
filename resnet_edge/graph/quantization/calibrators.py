"""Calibrators: from the distribution of a tensor to the range that int8 should cover.

Every one keeps zero inside, and never goes beyond what was seen. A range that a calibrator
narrows trades large errors on few values (clipping) for small ones on all (rounding).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.choices import choose
from resnet_edge.graph.quantization.histogram import GRID, Distribution

Range = tuple[float, float]
Calibrator = Callable[[Distribution], Range]

LEVELS = 255
"""Steps of an int8 range."""
PERCENTILE = 99.999
TRIED_ENDS = 96
NARROWEST = 0.2
"""`mse` does not try less than this share of an end."""
UNIT: Range = (0.0, 1.0)
"""For a tensor that is zero throughout: with no range at all its scale would be next to
nothing, and the int32 bias of the layer behind it would overflow."""


def minmax(seen: Distribution) -> Range:
    """All that was seen."""
    return min(seen.low, 0.0), max(seen.high, 0.0)


def percentile(seen: Distribution) -> Range:
    """All but 1 of 100,000 values at each end (linear within a bin)."""
    low, high = minmax(seen)
    counts, edges = seen.counts.copy(), seen.edges
    if seen.zeros and low < high:
        counts[_bin_of_zero(seen)] += seen.zeros
    share = np.concatenate([[0.0], np.cumsum(counts)]) / max(counts.sum(), 1.0)
    tail = 1 - PERCENTILE / 100
    # Of several edges with the same share, the outermost empty ones are no values.
    first = float(np.interp(tail, share, edges)) if low < 0 else 0.0
    last = -float(np.interp(tail, 1 - share[::-1], -edges[::-1])) if high > 0 else 0.0
    return min(max(first, low), 0.0), max(min(last, high), 0.0)


def mse(seen: Distribution) -> Range:
    """The range with the least expected squared error: both ends are searched.

    A value inside errs by step^2 / 12 on average, an exact zero not at all, a value outside
    by its distance to the end (Banner et al., arXiv:1810.05723, section 3, on the histogram
    in place of a Laplace law).
    """
    low, high = minmax(seen)
    lows = low * np.linspace(1, NARROWEST, TRIED_ENDS) if low < 0 else np.zeros(1)
    highs = high * np.linspace(1, NARROWEST, TRIED_ENDS) if high > 0 else np.zeros(1)
    below, above = _clipped(seen, lows, -1), _clipped(seen, highs, 1)
    inside = seen.counts.sum() - below[0][:, None] - above[0][None, :]
    step = (highs[None, :] - lows[:, None]) / LEVELS
    error = inside * step**2 / 12 + below[1][:, None] + above[1][None, :]
    row, column = np.unravel_index(int(error.argmin()), error.shape)
    return float(lows[row]), float(highs[column])


def _clipped(
    seen: Distribution, ends: NDArray[np.float64], side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many values lie beyond each of `ends` (-1: below, 1: above), and the sum of the
    squares of their distances."""
    centres = (seen.edges[1:] + seen.edges[:-1]) / 2
    beyond = np.maximum(side * (centres[None, :] - ends[:, None]), 0.0)
    return (beyond > 0) @ seen.counts, beyond**2 @ seen.counts


def entropy(seen: Distribution) -> Range:
    """The threshold on magnitudes whose quantized histogram diverges least from what was seen.

    S. Migacz, "8-bit inference with TensorRT" (GTC 2017): all that lies beyond the threshold
    counts for its last bin in P; Q is P without that, merged into the levels and spread over
    the bins that are not empty; the least KL(P||Q) wins. Zeros have a level of their own and
    are left out, as there.
    """
    low, high = minmax(seen)
    top = max(-low, high)
    if not seen.counts.any():  # one value throughout
        return low, high
    centres = np.abs((seen.edges[1:] + seen.edges[:-1]) / 2)
    counts, _ = np.histogram(centres, GRID, (0.0, top), weights=seen.counts)
    # One side of a signed range has half of the levels.
    levels = (LEVELS + 1) // (2 if low < 0 < high else 1)
    tried = range(levels, GRID + 1, levels // 16)
    best = min(reversed(tried), key=lambda size: _divergence(counts, size, levels))
    threshold = top * best / GRID
    return max(low, -threshold), min(high, threshold)


def _divergence(counts: NDArray[np.float64], size: int, levels: int) -> float:
    """KL(P||Q) of the first `size` bins in `levels` levels; infinity where Q lacks what P has."""
    kept = counts[:size]
    seen = kept.copy()
    seen[-1] += counts[size:].sum()
    level = np.arange(size) * levels // size
    filled = (kept > 0).astype(np.float64)
    share = np.bincount(level, kept, levels) / np.maximum(np.bincount(level, filled, levels), 1)
    guess = share[level] * filled
    if not kept.sum() or (guess[seen > 0] == 0).any():
        return float("inf")
    p, q = seen[seen > 0] / seen.sum(), guess[seen > 0] / guess.sum()
    return float((p * np.log(p / q)).sum())


def _bin_of_zero(seen: Distribution) -> int:
    return int(np.clip((0.0 - seen.low) / (seen.high - seen.low) * GRID, 0, GRID - 1))


CALIBRATORS: dict[str, Calibrator] = {
    "minmax": minmax,
    "percentile": percentile,
    "mse": mse,
    "entropy": entropy,
}


def find(name: str) -> Calibrator:
    """The calibrator called `name`. Raises UnknownName."""
    return CALIBRATORS[choose("calibrator", name, CALIBRATORS)]


def chosen_ranges(
    seen: Mapping[str, Distribution], calibrator: str, fixed: Mapping[str, Range]
) -> dict[str, Range]:
    """A range for every tensor: that in `fixed` as it stands, the others by the calibrator.

    A tensor that is zero throughout gets UNIT. Raises UnknownName.
    """
    calibrate = find(calibrator)
    chosen = {name: calibrate(one) for name, one in seen.items() if name not in fixed}
    return {name: UNIT if ends == (0.0, 0.0) else ends for name, ends in chosen.items()} | dict(fixed)
