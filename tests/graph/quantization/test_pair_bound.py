"""Weights of which no pair overflows, by the instruction's own arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from resnet_edge.graph.quantization.pair_bound import full_scales, limits, overflowing_pairs, rounded_within

STEPS = st.floats(-127, 127, width=32)
ROWS = npst.arrays(np.float64, npst.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=STEPS)


def sums_beyond_16_bits(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Which pairs (O, pairs) of rows of integers can overflow: with the brightest activations that add up."""
    even = np.pad(rows.astype(np.int64), ((0, 0), (0, rows.shape[1] % 2)))
    pairs = even.reshape(len(rows), -1, 2)
    high, low = 255 * np.maximum(pairs, 0).sum(axis=2), 255 * np.minimum(pairs, 0).sum(axis=2)
    beyond: NDArray[np.bool_] = (high > np.iinfo(np.int16).max) | (low < np.iinfo(np.int16).min)
    return beyond


@given(
    npst.arrays(
        np.int64, npst.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(-127, 127)
    )
)
def test_pairs_that_overflow_are_those_beyond_16_bits(rows: NDArray[np.int64]) -> None:
    np.testing.assert_array_equal(overflowing_pairs(rows), sums_beyond_16_bits(rows))


def test_the_bound_is_reached_and_no_more() -> None:
    rows = np.array([[64, 64], [127, 1], [127, 2], [-127, -1], [-100, -29], [127, -127]])
    assert overflowing_pairs(rows).ravel().tolist() == [False, False, True, False, True, False]


@given(ROWS)
def test_rounded_weights_of_no_pair_overflow_and_others_are_the_nearest(rows: NDArray[np.float64]) -> None:
    rounded, nearest = rounded_within(rows), np.rint(rows)
    assert not sums_beyond_16_bits(rounded).any()
    untouched = ~np.repeat(sums_beyond_16_bits(nearest), 2, axis=1)[:, : rows.shape[1]]
    np.testing.assert_array_equal(rounded[untouched], nearest[untouched])
    assert (rounded * nearest >= 0).all()


@given(ROWS, st.integers(0, 2**16))
def test_within_its_limits_each_weight_is_free(rows: NDArray[np.float64], seed: int) -> None:
    random = np.random.default_rng(seed)
    cost = np.asarray(random.random(rows.shape[1]) * random.integers(0, 2, rows.shape[1]))
    low, high = limits(rows, cost)
    anywhere = random.integers(low.astype(int), high.astype(int), endpoint=True)
    for weights in (low, high, anywhere):
        assert not sums_beyond_16_bits(weights).any()
    assert max(high.max(), -low.min()) <= 127


def test_what_weighs_more_gives_up_less() -> None:
    _, high = limits(np.array([[100.0, 100.0]]), np.array([3.0, 1.0]))
    assert high.tolist() == [[82, 46]]


@settings(max_examples=50)
@given(ROWS.filter(lambda rows: bool((np.abs(rows).max(axis=1) > 1e-3).all())))
def test_scales_are_those_that_may_be_best(rows: NDArray[np.float64]) -> None:
    scales = full_scales(rows, np.ones(rows.shape[1]), 4)
    assert scales.shape == (4, len(rows))
    assert scales[1].tolist() == [127] * len(rows)
    assert scales.min() == 64 <= scales.max() <= 127


def test_a_row_that_no_pair_of_overflows_needs_no_coarser_step() -> None:
    rows = np.array([[1.0, -1.0, 0.2, 0.1], [1.0, 0.9, 0.2, 0.1]])
    best = full_scales(rows, np.ones(4), 1)[0]
    assert best[0] == 127
    assert best[1] < 80
