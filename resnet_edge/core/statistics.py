"""Ratios that the proof and the latencies stand on. numpy only; intervals of counts: core/proportion.py.

Every interval is two-sided with 95 % confidence.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SQNR_CAP_DB = 200.0


def centred(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logits (N, classes) less the mean of their row.

    Softmax and argmax do not see a constant added to a row, so neither must an error measure.
    """
    wide = logits.astype(np.float64)
    result: NDArray[np.float64] = wide - wide.mean(axis=-1, keepdims=True)
    return result


def sqnr_db(signal: float, noise: float) -> float:
    """10 log10(signal / noise), in decibels, from two sums of squares; within +-SQNR_CAP_DB.

    The cap stands for "no difference that float32 could show" (its rounding alone is at
    about 150 dB), since JSON has no infinity. No signal at all counts as the worst.
    """
    if signal <= 0:
        return -SQNR_CAP_DB
    if noise <= 0:
        return SQNR_CAP_DB
    return max(-SQNR_CAP_DB, min(SQNR_CAP_DB, 10 * (math.log10(signal) - math.log10(noise))))


def median_interval(
    samples: NDArray[np.float64], seed: int = 0, resamples: int = 1000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the median of all `samples` (rounds,) or (rounds, k).

    Whole rounds are drawn: calls of one round share what disturbed it, and to draw them one
    by one would promise too much (Field, Welsh, J. R. Stat. Soc. B 69 (2007) 369).
    """
    random = np.random.default_rng(seed)
    n = len(samples)
    medians = [np.median(samples[random.integers(0, n, n)]) for _ in range(resamples)]
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(low), float(high)


def paired_ratio(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """The median of numerator / denominator, round by round (rounds,), and its bootstrap interval.

    The two of a round were measured next to each other, so that what slows the machine for
    a while (heat, neighbours) divides out.
    """
    ratios = numerator / denominator
    return float(np.median(ratios)), median_interval(ratios, seed)
