"""Whether a latency would come out so again: judged on series whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.benchmarking.task import AllSettled, RowBlocks, SettleRounds
from resnet_edge.benchmarking.verdict import settle
from resnet_edge.workers.progress import silent

ROUNDS, BLOCK = 100, 8


def series(level: float | NDArray[np.float64], noise: float = 0.01, seed: int = 0) -> NDArray[np.float64]:
    """(ROUNDS, BLOCK) milliseconds about `level`, with noise of each round and of each call."""
    random = np.random.default_rng(seed)
    by_round = level * np.exp(noise * random.normal(size=ROUNDS))
    times: NDArray[np.float64] = by_round[:, None] * np.exp(noise * random.normal(size=(ROUNDS, BLOCK)))
    return times


def settled(*rows: NDArray[np.float64], yardstick: NDArray[np.float64] | None = None) -> AllSettled:
    pace = np.full(len(rows[0]), 0.1) if yardstick is None else yardstick
    turns = tuple(RowBlocks(tuple(map(tuple, row.tolist())), tuple(pace.tolist())) for row in rows)
    return settle(SettleRounds(rows=turns, seed=0), silent)


def test_a_quiet_series_is_steady_and_its_figures_are_right() -> None:
    (row,) = settled(series(2.0)).rows
    assert row.unsteady == ()
    assert row.n == ROUNDS * BLOCK
    assert row.p50_ms == pytest.approx(2.0, rel=0.01)
    assert row.p50_ci95_ms[0] < 2.0 < row.p50_ci95_ms[1]
    assert row.p50_ms < row.p90_ms < row.p99_ms
    assert (row.times_fastest, row.times_fastest_ci95, row.rank) == (1.0, (1.0, 1.0), 1)


def test_a_ratio_survives_what_slows_all_rows_alike() -> None:
    weather = np.repeat([1.0, 1.6, 1.0, 2.0, 1.2], ROUNDS // 5)
    fast, slow = settled(series(2.0 * weather, seed=1), series(5.0 * weather, seed=2)).rows
    assert slow.times_fastest == pytest.approx(2.5, rel=0.01)
    assert slow.times_fastest_ci95[1] - slow.times_fastest_ci95[0] < 0.05
    assert fast.times_fastest == 1.0


def test_rows_whose_intervals_overlap_share_a_rank() -> None:
    first, second, third = settled(
        series(2.0, 0.02, seed=1), series(2.005, 0.02, seed=2), series(2.5, 0.02, seed=3)
    ).rows
    assert (first.rank, second.rank, third.rank) == (1, 1, 3)


def test_a_wide_interval_is_not_settled() -> None:
    (row,) = settled(series(2.0, noise=0.3)).rows
    assert any(reason.startswith("the median is known to") for reason in row.unsteady)


@pytest.mark.parametrize(("by", "word"), [(1.1, "slower"), (0.9, "faster")])
def test_a_drift_is_not_settled_however_narrow_the_noise(by: float, word: str) -> None:
    (row,) = settled(series(np.linspace(2.0, 2.0 * by, ROUNDS), noise=0.002)).rows
    assert any(word in reason for reason in row.unsteady)


def test_few_rounds_are_not_enough() -> None:
    (row,) = settled(series(2.0, noise=0.001)[:5], yardstick=np.full(5, 0.1)).rows
    assert row.unsteady == ("only 5 rounds, and 20 are needed",)


def test_the_yardstick_tells_that_the_machine_changed_its_pace() -> None:
    hot = np.concatenate([np.full(ROUNDS // 2, 0.1), np.full(ROUNDS // 2, 0.13)])
    assert settled(series(2.0), yardstick=hot).slowest_quarter == pytest.approx(1.3)
    assert settled(series(2.0)).slowest_quarter == pytest.approx(1.0)
