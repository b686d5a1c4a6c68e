"""The simulation of larger clusters, where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scale.simulation import Costs, Job, curve, makespan, simulated

FREE = Costs(driver_seconds=0.0, start_seconds=0.0, put_rate=float("inf"), fetch_rate=float("inf"))
EVEN = Job(title="even", shards=64, shard_seconds=(2.0,), file_bytes=1000)


@pytest.mark.parametrize(("workers", "seconds"), [(1, 128.0), (8, 16.0), (48, 4.0), (64, 2.0), (512, 2.0)])
def test_without_costs_it_is_a_division(workers: int, seconds: float) -> None:
    assert makespan(EVEN, FREE, workers, 16) == pytest.approx(seconds)


def test_the_driver_is_one() -> None:
    """With shards that take no time, all that is left is the line before it."""
    costs = replace(FREE, driver_seconds=0.5)
    for workers in (1, 8, 512):
        assert makespan(replace(EVEN, shard_seconds=(0.0,)), costs, workers, 16) == pytest.approx(32.0)


def test_a_machine_fetches_once_and_each_that_has_it_sends_it_on() -> None:
    costs = replace(FREE, put_rate=1000.0, fetch_rate=1000.0)
    one = replace(EVEN, shards=512, shard_seconds=(10.0,))
    assert makespan(one, costs, 16, 16) == pytest.approx(1 + 1 + 320)  # one machine: put, and fetched
    # 32 machines: after the put 1, 3, 7, 15, 31, 63 have it (the driver is the first that sends).
    assert makespan(one, costs, 512, 16) == pytest.approx(1 + 6 + 10)


def test_rows_alone_go_past_the_driver_once_each() -> None:
    costs = replace(FREE, put_rate=1000.0, fetch_rate=1000.0)
    rows = replace(EVEN, shards=4, shard_seconds=(0.0,), file_bytes=4000, rows_only=True)
    for workers in (4, 512):  # the driver puts 1 s for each in turn, and the last is fetched then
        assert makespan(rows, costs, workers, 1) == pytest.approx(4 + 1)
    assert makespan(rows, costs, 1, 1) == pytest.approx(4 * (1 + 1))


def test_smaller_shards_are_the_same_work() -> None:
    divided = EVEN.divided(4)
    assert divided.shards == 256
    assert makespan(divided, FREE, 1, 1) == pytest.approx(128.0)
    assert makespan(divided, FREE, 256, 16) == pytest.approx(0.5)


def test_a_worker_starts_once() -> None:
    costs = replace(FREE, start_seconds=3.0)
    assert makespan(EVEN, costs, 8, 4) == pytest.approx(3 + 16)


def test_stragglers_cost_where_there_are_many_workers() -> None:
    job = replace(EVEN, shards=512, shard_seconds=(*[1.0] * 99, 9.0))
    few, many = (simulated(job, FREE, workers, 16) for workers in (1, 512))
    assert many.seconds == pytest.approx(9.0)
    assert many.stragglers / many.seconds > 0.8
    assert few.stragglers / few.seconds < 0.2


def test_more_workers_are_never_slower_by_much_and_the_curve_bends() -> None:
    costs = Costs(driver_seconds=0.01, start_seconds=2.0, put_rate=1e4, fetch_rate=1e4)
    one, *rest = curve(replace(EVEN, shards=256), costs, (1, 8, 64, 512), 16)
    speedups = [each.speedup(one) for each in rest]
    assert speedups == sorted(speedups)
    assert speedups[0] > 0.8 * 8
    assert speedups[-1] < 0.5 * 512
