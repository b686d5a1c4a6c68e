from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.graph.quantization.histogram import BINS, GRID, Histogram

ONES = np.ones(1)


def values(n: int, channels: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, (n, channels)).astype(np.float32)


def test_counts_are_those_of_numpy_on_the_same_edges() -> None:
    rows = values(5000, 2)
    histogram = Histogram(2)
    histogram.add(rows, np.abs(rows).max(axis=0))
    for channel in range(2):
        edges = np.arange(-BINS // 2, BINS // 2 + 1) * 2.0 ** histogram.exponents[channel]
        np.testing.assert_array_equal(histogram.counts[channel], np.histogram(rows[:, channel], edges)[0])
        assert BINS / 4 * 2.0 ** histogram.exponents[channel] <= np.abs(rows[:, channel]).max()


@pytest.mark.parametrize("factor", [1, 3, 1000, 1e-6])
def test_growing_range_gives_what_all_at_once_gives(factor: float) -> None:
    first, second = values(800, 3), values(800, 3, seed=1) * np.float32(factor)
    largest = np.abs(np.concatenate([first, second])).max(axis=0)
    grown, at_once = Histogram(3), Histogram(3)
    grown.add(first, np.abs(first).max(axis=0))
    grown.add(second, largest)
    at_once.add(np.concatenate([first, second]), largest)
    np.testing.assert_array_equal(grown.counts, at_once.counts)
    np.testing.assert_array_equal(grown.exponents, at_once.exponents)
    assert grown.counts.sum() == 1600 * 3


@pytest.mark.parametrize("value", [0.5, 1.0, 2.0, 3.999999, 4.0, -4.0, -0.25, 1e-20, 3e38])
def test_value_on_an_edge_is_counted_once(value: float) -> None:
    row = np.full((1, 1), value, np.float32)
    histogram = Histogram(1)
    histogram.add(row, np.abs(row[0]))
    assert histogram.counts.sum() == 1


def test_distribution_of_a_tensor_is_the_sum_of_its_channels() -> None:
    rows = values(20000, 2) * np.array([1, 8], np.float32)
    histogram = Histogram(2)
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    histogram.add(rows, np.abs(rows).max(axis=0))
    seen = histogram.distribution(low, high, np.ones(2))
    assert (seen.low, seen.high) == (rows.min(), rows.max())
    assert seen.counts.shape == (GRID,)
    assert seen.counts.sum() == rows.size
    share = np.cumsum(seen.counts) / rows.size
    truth = [(rows < edge).mean() for edge in seen.edges[1:]]
    np.testing.assert_allclose(share, truth, atol=0.02)


def test_scaled_channels_are_those_that_were_scaled_before() -> None:
    rows = values(20000, 2)
    scales = np.array([1.0, 3.0])
    plain, scaled = Histogram(2), Histogram(2)
    plain.add(rows, np.abs(rows).max(axis=0))
    after = (rows * scales).astype(np.float32)
    scaled.add(after, np.abs(after).max(axis=0))
    given = plain.distribution(*ends(rows), scales)
    truth = scaled.distribution(*ends(after), np.ones(2))
    np.testing.assert_allclose([given.low, given.high], [truth.low, truth.high], rtol=1e-6)
    np.testing.assert_allclose(np.cumsum(given.counts), np.cumsum(truth.counts), atol=0.01 * rows.size)


def test_zeros_are_counted_apart() -> None:
    rows = np.maximum(values(4000, 1), 0)
    zeros = int((rows == 0).sum())
    histogram = Histogram(1)
    histogram.add(rows, rows.max(axis=0))
    seen = histogram.distribution(*ends(rows), ONES)
    assert seen.zeros == zeros
    assert seen.counts.sum() == rows.size - zeros
    assert (seen.counts >= 0).all()


@pytest.mark.parametrize("value", [0.0, 2.5, -2.5])
def test_constant_tensor_has_its_limits(value: float) -> None:
    rows = np.full((10, 1), value, np.float32)
    histogram = Histogram(1)
    histogram.add(rows, np.abs(rows[0]))
    seen = histogram.distribution(*ends(rows), ONES)
    assert (seen.low, seen.high) == (value, value)


def ends(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
