"""Runs in a worker. What the turns of a bench amount to, and whether they would come out so again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.benchmarking.task import AllSettled, RowBlocks, Settled, SettleRounds
from resnet_edge.core import statistics
from resnet_edge.workers.progress import OnProgress

Times = NDArray[np.float64]

FEWEST_ROUNDS = 20
PRECISE = 0.02
"""Half of the interval of the median, as a share of it: wider is not settled."""
DRIFT = 0.04
"""Between the medians of two halves of the run: the larger is no noise but another machine."""
QUARTERS = 4


def settle(request: SettleRounds, on_progress: OnProgress) -> AllSettled:
    """Statistics, ranks and verdicts of rows that were timed in the same rounds."""
    times = [np.array(row.milliseconds) for row in request.rows]
    medians = [np.median(row, axis=1) for row in times]
    fastest = int(np.argmin([np.median(row) for row in times]))
    intervals = [statistics.median_interval(row, request.seed) for row in times]
    rows = []
    for own, median, interval in zip(times, medians, intervals, strict=True):
        ratio, between = statistics.paired_ratio(median, medians[fastest], request.seed)
        p50, p90, p99 = np.percentile(own, [50, 90, 99])
        rank = 1 + sum(high < interval[0] for _, high in intervals)
        rows.append(
            Settled(
                n=own.size,
                p50_ms=float(p50),
                p90_ms=float(p90),
                p99_ms=float(p99),
                p50_ci95_ms=interval,
                times_fastest=ratio,
                times_fastest_ci95=between,
                rank=rank,
                unsteady=tuple(unsteady(median, interval)),
            )
        )
    return AllSettled(tuple(rows), slowest_quarter(request.rows))


def unsteady(rounds: Times, interval: tuple[float, float]) -> list[str]:
    """Why the median of a row would not come out so again, in words.

    `rounds` (rounds,) are the medians of its blocks in order of time.
    """
    reasons = []
    middle = float(np.median(rounds))
    if len(rounds) < FEWEST_ROUNDS:
        reasons.append(f"only {len(rounds)} rounds, and {FEWEST_ROUNDS} are needed")
    half = (interval[1] - interval[0]) / 2 / middle
    if half > PRECISE:
        reasons.append(f"the median is known to {100 * half:.1f} %, and {100 * PRECISE:g} % is asked for")
    first, second = (float(np.median(part)) for part in np.array_split(rounds, 2))
    drift = abs(second - first) / middle
    if drift > DRIFT and drift > 2 * half:
        slower = "slower" if second > first else "faster"
        reasons.append(f"it became {100 * drift:.0f} % {slower} during the run")
    return reasons


def slowest_quarter(rows: tuple[RowBlocks, ...]) -> float:
    """The yardstick's median in its slowest quarter of the run over that in its fastest."""
    by_round = np.median(np.array([row.yardstick_ms for row in rows]), axis=0)
    quarters = [float(np.median(part)) for part in np.array_split(by_round, QUARTERS) if len(part)]
    return max(quarters) / min(quarters)
