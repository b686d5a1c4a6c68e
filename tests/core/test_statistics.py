from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core import statistics


class TestSqnr:
    def test_decibels(self) -> None:
        assert statistics.sqnr_db(100.0, 1.0) == pytest.approx(20.0)
        assert statistics.sqnr_db(1.0, 1.0) == pytest.approx(0.0)

    def test_ends_are_finite(self) -> None:
        assert statistics.sqnr_db(1.0, 0.0) == statistics.SQNR_CAP_DB
        assert statistics.sqnr_db(0.0, 0.0) == -statistics.SQNR_CAP_DB
        assert statistics.sqnr_db(1e-300, 1e300) == -statistics.SQNR_CAP_DB

    def test_centred_rows_have_no_constant(self) -> None:
        logits = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
        shifted = logits + np.arange(5, dtype=np.float32)[:, None]
        assert np.allclose(statistics.centred(logits).sum(axis=1), 0)
        assert np.allclose(statistics.centred(logits), statistics.centred(shifted), atol=1e-6)


class TestBootstrap:
    def rounds(self, seed: int) -> NDArray[np.float64]:
        return np.random.default_rng(seed).lognormal(0, 0.3, (60, 4))

    def test_same_seed_same_interval(self) -> None:
        samples = self.rounds(0)
        assert statistics.median_interval(samples, 3) == statistics.median_interval(samples, 3)
        assert statistics.median_interval(samples, 3) != statistics.median_interval(samples, 4)

    def test_covers_the_median_about_as_often_as_it_says(self) -> None:
        inside = 0
        for seed in range(80):
            low, high = statistics.median_interval(self.rounds(seed), seed, resamples=150)
            inside += low <= 1.0 <= high
        assert 0.85 < inside / 80 <= 1

    def test_rounds_are_drawn_whole(self) -> None:
        disturbed = np.repeat(np.random.default_rng(1).lognormal(0, 0.3, (40, 1)), 50, axis=1)
        together = statistics.median_interval(disturbed)
        one_by_one = statistics.median_interval(disturbed.reshape(-1))
        assert together[1] - together[0] > 3 * (one_by_one[1] - one_by_one[0])

    def test_ratio_is_paired_by_round(self) -> None:
        drift = np.linspace(1, 10, 50)
        ratio, (low, high) = statistics.paired_ratio(3 * drift, drift)
        assert (ratio, low, high) == pytest.approx((3, 3, 3))
