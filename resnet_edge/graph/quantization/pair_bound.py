"""Weights whose products no processor can overflow, whatever the activations.

x86 without VNNI multiplies uint8 activations by int8 weights with VPMADDUBSW, which adds two neighbours along
the reduction in 16 bits and cuts off what does not fit (Intel 64 SDM, "PMADDUBSW"; onnxruntime#6004). With
activations up to 255 no sum is cut off if weights of one sign add up to 128 at most; those of opposite sign
take away from each other. int8 activations are no different: ONNX Runtime makes them uint8.

Neighbours are weights 0 and 1, 2 and 3, and so on, of a row in the order kernel row, kernel column, channel
of the group. In MLAS and the kernels above it there is no other order: QLinearConv reorders every kernel to
K1...KnC and its im2col is NHWC, for both layouts of the image (qlinearconv.cc, ReorderFilter); kernels pack
four of them at a time from an even offset, with zeros behind the last (QgemmU8S8KernelAvx2.asm and its AVX512
and SSE4.1 likes, QgemvU8S8KernelAvx2.asm, qgemm_kernel_wasmrelaxedsimd.cpp); the symmetric convolution starts
anew at each tap, but is taken for multiples of four channels only (convsym.cpp, MlasConvSymPackWSize). A
convolution with one channel in and one out per group has kernels of its own, which add in 32 bits
(qdwconv.cpp, ConvSymKernelAvx2.asm).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BRIGHTEST = 255
"""The largest activation in uint8."""
LEAST_SUM, MOST_SUM = -(1 << 15), (1 << 15) - 1
MOST_OF_PAIR = MOST_SUM // BRIGHTEST
"""What two weights of one sign may add up to: 128, above zero and below."""
LARGEST_WEIGHT = 127

Floats = NDArray[np.float64]


def overflowing_pairs(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Of rows of integers (O, K; of more than 8 bits, or whole floats), -127 to 127, which pairs
    (O, ceil(K / 2)) can overflow."""
    first, second = _pairs(rows)
    overflows: NDArray[np.bool_] = (np.abs(first + second) > MOST_OF_PAIR) & (
        np.sign(first) == np.sign(second)
    )
    return overflows


def pair_sums(rows: NDArray[Any]) -> NDArray[Any]:
    """Of rows (O, K) the sums of the pairs (O, ceil(K / 2))."""
    first, second = _pairs(rows)
    sums: NDArray[Any] = first + second
    return sums


def rounded_within(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows (O, K; in steps) rounded to integers of which no pair overflows: each weight on its own, but for
    pairs that are too much, of which both give up the same."""
    integers: NDArray[Any] = np.rint(rows)
    row, pair = np.nonzero(overflowing_pairs(integers))
    first, second = (row, 2 * pair), (row, 2 * pair + 1)
    one, other = rows[first], rows[second]
    most = _shared(np.abs(one), np.abs(other), np.ones(len(row)), np.ones(len(row)))
    integers[first], integers[second] = np.sign(one) * most, np.sign(other) * (MOST_OF_PAIR - most)
    return integers


def limits(rows: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """Between which integers, lowest and highest (O, K), the weights `rows` (O, K; in steps) may be rounded
    each on its own so that no pair overflows.

    What a pair has left is shared by halves; what it has too much is taken from both so that the sum of
    `cost` (K,) times the squared error is least.
    """
    low, high = (_bounds(np.maximum(sign * rows, 0), cost) for sign in (-1, 1))
    return -low, high


def _bounds(rows: Floats, cost: Floats) -> Floats:
    """The highest integers, from rows without negative weights."""
    most = _shared(*_pairs(rows), *_pairs(cost[None]))
    bounds = np.stack([most, MOST_OF_PAIR - most], axis=2).reshape(len(rows), -1)[:, : rows.shape[1]]
    if rows.shape[1] % 2:  # the last has no neighbour
        bounds[:, -1] = LARGEST_WEIGHT
    return bounds


def _shared(first: NDArray[Any], second: NDArray[Any], cost: Floats, other: Floats) -> NDArray[Any]:
    """What the first weight of each pair gets of the most that both may have."""
    left = MOST_OF_PAIR - first - second
    part = np.divide(other, cost + other, out=np.full_like(cost, 0.5), where=cost + other > 0)
    wanted = np.rint(first + left * np.where(left < 0, part, 0.5))
    most: NDArray[Any] = np.clip(wanted, 1, LARGEST_WEIGHT)
    return most


def full_scales(rows: NDArray[Any], cost: Floats, most: int) -> NDArray[np.int64]:
    """For rows of weights (O, K), up to `most` integers (n, O) that the largest weight of each may well be
    stored as, so that its step is that weight over this integer; the likely best is the first.

    The larger it is, the finer is the step, and the more is cut off where a pair would overflow. Best is
    where `cost` (K,) times the squared error is least: a twelfth of a squared step for each weight that is
    not zero (B. Widrow and I. Kollar, "Quantization Noise", 2008), and what `limits` takes from pairs. Where
    there are few weights that is a coarse estimate, so that others are given too, from 127 to the one that
    suits any pair.
    """
    largest = np.abs(rows).max(axis=1)
    scales = np.arange(LARGEST_WEIGHT, MOST_OF_PAIR // 2 - 1, -1)
    first, second = _pairs(rows)
    sums = np.abs(first + second)
    row, pair = np.nonzero((first * second > 0) & (sums > (MOST_OF_PAIR / LARGEST_WEIGHT * largest)[:, None]))
    over, (one, other) = sums[row, pair], (part[0][pair] for part in _pairs(cost[None]))
    weight = np.divide(one * other, one + other, out=np.zeros_like(one), where=one + other > 0)
    # OpenBLAS now and then leaves the flag of an invalid operation behind though all numbers are finite
    # (numpy#24067); this can go with a numpy whose matmul looks at its result instead of the flag.
    with np.errstate(invalid="ignore"):
        rounding = ((rows != 0) @ cost.astype(rows.dtype)) / 12
    share = over / np.where(largest > 0, largest, 1)[row]
    bounds = MOST_OF_PAIR / scales  # of a pair, in largest weights, without being cut off; ascending
    error = rounding / scales[:, None] ** 2 + _cut_off(row, share, weight, bounds, len(rows))
    best = scales[error.argmin(axis=0)]
    others = scales[np.linspace(0, len(scales) - 1, min(most - 1, len(scales))).astype(int)]
    return np.concatenate([best[None], np.repeat(others[:, None], len(rows), axis=1)])


def _cut_off(row: NDArray[np.intp], share: Floats, weight: Floats, bounds: Floats, rows: int) -> Floats:
    """For each of the ascending `bounds` (n,) and each row, the sum of `weight` (P,) times the square of what
    `share` (P,) of the pairs in that row is above the bound: (n, rows), from sums of the first powers."""
    size = len(bounds)
    place = np.searchsorted(bounds, share) * rows + row  # above the first so many bounds
    powers = (
        np.bincount(place, weight * share**power, (size + 1) * rows).reshape(size + 1, rows)
        for power in range(3)
    )
    none, first, second = (each[::-1].cumsum(axis=0)[::-1][1:] for each in powers)
    at = bounds[:, None]
    cost: Floats = np.maximum(second - 2 * at * first + at**2 * none, 0)
    return cost


def _pairs(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    even = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2)))
    return even[:, 0::2], even[:, 1::2]
