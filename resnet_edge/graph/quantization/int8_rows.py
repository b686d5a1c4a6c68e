"""The integers and steps that int8 stores rows of weights as: the one place that chooses them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.quantization.pair_bound import (
    LARGEST_WEIGHT,
    MOST_OF_PAIR,
    full_scales,
    overflowing_pairs,
    rounded_within,
)

Array = NDArray[np.float32]

PROBED = 8
"""Weights of a row that tell most rows which lie on no grid from those that do."""
TRIED = 512
"""Weights of a row that are rounded to find its best step: rows of fewer are rounded more than once."""
AT_ONCE = 1 << 18
"""Weights: what of them is computed stays in a processor's cache."""
REMEMBERED = 1 << 28
"""Weights whose integers are kept (a byte each): a search quantizes the same kernels in every trial."""
FLOAT32_ROUNDING = 2.0**-20
"""By how much a weight in steps is off, relatively, at most: it, the largest weight and the step were each
rounded to 24 bits, twice."""


@dataclass(frozen=True, kw_only=True)
class Int8Rows:
    """`integers` (O, K), -127 to 127, times `steps` (O,), 0 where a row is all zeros. `plain` (O,): which
    rows are as litert-quantizer makes them by itself."""

    integers: NDArray[np.int8]
    steps: Array
    plain: NDArray[np.bool_]

    @property
    def values(self) -> Array:
        """The weights that they stand for (O, K)."""
        return self.integers * self.steps[:, None]


def int8_rows(rows: NDArray[np.floating[Any]], *, paired: bool, alike: bool = False) -> Int8Rows:
    """Rows of weights (O, K) as integers, symmetric, one step a row, or one for all (`alike`); `paired`: so
    that no pair of neighbours can overflow (pair_bound.py).

    A row that lies on such a grid already (rounding.py) keeps it. Of the others, a row in which no pair is
    at risk has its largest weight at 127, and each weight rounded on its own. One at risk has the step, and
    neighbours rounded down together, that change its weights least.
    """
    real = np.ascontiguousarray(rows, np.float32)
    key = (real.shape, paired, alike, hashlib.blake2b(real.data, digest_size=16).digest())
    if key in _known:
        _known.move_to_end(key)
        return _known[key]
    size = max(1, AT_ONCE // real.shape[1])
    if alike:
        integers, steps, plain = _alike(real, paired)
    else:
        parts = [_part(real[at : at + size], paired) for at in range(0, len(real), size)]
        integers, steps, plain = (np.concatenate(each) for each in zip(*parts, strict=True))
    rounded = Int8Rows(integers=integers.astype(np.int8), steps=steps, plain=plain)
    _remember(key, rounded)
    return rounded


_Key = tuple[tuple[int, ...], bool, bool, bytes]
_known: OrderedDict[_Key, Int8Rows] = OrderedDict()


def _remember(key: _Key, rounded: Int8Rows) -> None:
    for array in (rounded.integers, rounded.steps, rounded.plain):
        array.setflags(write=False)
    _known[key] = rounded
    while sum(rows.integers.size for rows in _known.values()) > REMEMBERED:
        _known.popitem(last=False)


def _alike(rows: Array, paired: bool) -> tuple[Array, Array, NDArray[np.bool_]]:
    """All rows as if they were one, each with an even number of weights, so that pairs stay pairs."""
    wide = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2)))
    integers, steps, plain = _part(wide.reshape(1, -1), paired)
    own = integers.reshape(wide.shape)[:, : rows.shape[1]]
    return own, np.repeat(steps, len(rows)), np.repeat(plain, len(rows))


def _part(rows: Array, paired: bool) -> tuple[Array, Array, NDArray[np.bool_]]:
    largest = np.abs(rows).max(axis=1)
    scales = _own_scales(rows, largest, paired)
    alone = scales == 0
    scales[alone] = LARGEST_WEIGHT
    inside = _in_steps(rows, largest, scales)
    integers, plain = np.rint(inside), scales == LARGEST_WEIGHT
    if paired and alone.any():
        # The quantizer may see a half where here is a little less.
        farthest = np.rint(inside * np.float32(1 + FLOAT32_ROUNDING))
        at_risk = alone & overflowing_pairs(farthest).any(axis=1)
        if at_risk.any():
            scales[at_risk], integers[at_risk] = _bounded(rows[at_risk], largest[at_risk])
        plain &= ~at_risk
    return integers, largest / scales.astype(np.float32), plain


def _bounded(rows: Array, largest: Array) -> tuple[NDArray[np.int64], Array]:
    """The scale (O,) of each row, and its integers."""
    best_scales = np.zeros(len(rows), np.int64)
    best, least = np.zeros_like(rows), np.full(len(rows), np.inf)
    for scales in full_scales(rows, np.ones(rows.shape[1]), max(1, TRIED // rows.shape[1])):
        inside = _in_steps(rows, largest, scales)
        integers = _balanced(inside)
        error = np.square(inside - integers).sum(axis=1) / np.square(scales)
        better = error < least
        best_scales[better], best[better], least[better] = scales[better], integers[better], error[better]
    return best_scales, best


def _balanced(rows: Array) -> Array:
    """Rows (in steps) rounded so that no pair overflows, and then so many weights, the nearest to a half
    first, to their other side that the sum of each row comes out as it was: behind a ReLU no activation is
    negative, and what sums have lost or gained shifts all that the layer gives."""
    integers = rounded_within(rows)
    error = rows - integers
    missing = np.rint(error.sum(axis=1))
    sign = np.sign(missing)
    # Errors are spread evenly up to a half, so that above this there are about twice as many as are missing.
    least = 0.5 - 2 * (np.abs(missing) + 4) / rows.shape[1]
    score = error * sign[:, None]
    row, tap = np.nonzero((score > np.maximum(least, 0)[:, None]) & (rows != 0))
    movable = _has_room(integers, row, tap)
    row, tap = row[movable], tap[movable]
    order = np.lexsort((-score[row, tap], row))
    row, tap = row[order], tap[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    moved = rank < np.abs(missing)[row]
    integers[row[moved], tap[moved]] += sign[row[moved]]
    return integers


def _has_room(integers: Array, row: NDArray[np.intp], tap: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether weights may move by one, and their neighbours too."""
    neighbour = np.minimum(tap ^ 1, integers.shape[1] - 1)
    own, other = integers[row, tap], integers[row, neighbour]
    together = np.where(np.sign(own) == np.sign(other), np.abs(own + other), np.maximum(abs(own), abs(other)))
    room: NDArray[np.bool_] = together <= MOST_OF_PAIR - 2
    return room


def _in_steps(rows: Array, largest: Array, scales: NDArray[np.int64]) -> Array:
    stepped: Array = rows * (scales / np.where(largest > 0, largest, 1)).astype(np.float32)[:, None]
    return stepped


def _own_scales(rows: Array, largest: Array, paired: bool) -> NDArray[np.int64]:
    """For each row (O,) that is made of multiples of a step, the integer that its largest weight is; 0 for
    others, and where a pair of such integers could overflow."""
    scales = np.arange(LARGEST_WEIGHT, 0, -1)
    probe = rows[:, np.linspace(0, rows.shape[1] - 1, PROBED).astype(int)]
    ratio = (probe / np.where(largest > 0, largest, 1)[:, None])[:, None] * scales.astype(np.float32)[:, None]
    row, which = np.nonzero((np.abs(ratio - np.rint(ratio)) <= FLOAT32_ROUNDING * LARGEST_WEIGHT).all(axis=2))
    own = np.zeros(len(rows), np.int64)
    for number in np.unique(which):
        left = row[which == number]
        left = left[own[left] == 0]
        inside = _in_steps(rows[left], largest[left], np.full(len(left), scales[number]))
        integers = np.rint(inside)
        exact = (np.abs(inside - integers) <= FLOAT32_ROUNDING * LARGEST_WEIGHT).all(axis=1)
        legal = ~(paired & overflowing_pairs(integers).any(axis=1))
        own[left[exact & legal]] = scales[number]
    return own
