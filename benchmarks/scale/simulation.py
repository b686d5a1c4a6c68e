"""A cluster that is larger than ours, by events: what shards cost is measured, how many workers there are is
not.

One driver hands out calls and takes results, one after the other. A machine fetches the files of the job
once, before its first shard, from whoever has them and is free: first the driver, then every machine that is
done with it, as Ray's object managers do. A worker starts once. Each shard takes as long as one that was
measured. What is not built is simulated, too: smaller shards, and machines that take all images first.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

SEED = 0


@dataclass(frozen=True, kw_only=True)
class Job:
    """So many `shards`, each as long as one of `shard_seconds` (which is drawn), of files of `file_bytes`,
    which go to every machine whole, or (`rows_only`) to the worker of a shard in equal parts."""

    title: str
    shards: int
    shard_seconds: tuple[float, ...]
    file_bytes: int
    rows_only: bool = False

    def divided(self, by: int) -> Job:
        """The same with so many times more shards."""
        seconds = tuple(one / by for one in self.shard_seconds)
        return replace(self, shards=by * self.shards, shard_seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of the driver for a call and its result, and of a worker for its start; bytes per second into
    the store of objects, and from one machine to another."""

    driver_seconds: float
    start_seconds: float
    put_rate: float
    fetch_rate: float


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Seconds until the last result, and what each cost has of them: how much earlier that would be without
    it (they overlap, and need not add up)."""

    workers: int
    seconds: float
    store: float
    driver: float
    stragglers: float
    starts: float

    def speedup(self, one: Simulated) -> float:
        """Against one worker."""
        return one.seconds / self.seconds


def simulated(job: Job, costs: Costs, workers: int, per_machine: int) -> Simulated:
    """`workers` of one CPU, `per_machine` on each machine."""
    free = float("inf")
    mean = sum(job.shard_seconds) / len(job.shard_seconds)
    seconds = makespan(job, costs, workers, per_machine)

    def without(other_job: Job = job, other_costs: Costs = costs) -> float:
        return max(0.0, seconds - makespan(other_job, other_costs, workers, per_machine))

    even = replace(job, shard_seconds=(mean,))
    return Simulated(
        workers=workers,
        seconds=seconds,
        store=without(other_costs=replace(costs, put_rate=free, fetch_rate=free)),
        driver=without(other_costs=replace(costs, driver_seconds=0.0)),
        stragglers=max(0.0, without(other_job=even)) + idle_at_the_end(even, workers),
        starts=without(other_costs=replace(costs, start_seconds=0.0)),
    )


def idle_at_the_end(job: Job, workers: int) -> float:
    """Seconds that the last round costs because shards cannot be divided further, all being alike."""
    rounds = -(-job.shards // workers)
    return rounds * job.shard_seconds[0] - job.shards * job.shard_seconds[0] / workers


def makespan(job: Job, costs: Costs, workers: int, per_machine: int) -> float:
    """Seconds from the start to the last result."""
    return _Events(job, costs, workers, per_machine).run()


class _Events:
    """What happens, in the order of time. The driver is one server with a line before it."""

    def __init__(self, job: Job, costs: Costs, workers: int, per_machine: int) -> None:
        self._costs = costs
        chance = random.Random(SEED)
        self._left = [chance.choice(job.shard_seconds) for _ in range(job.shards)]
        self._machine_of = [worker // per_machine for worker in range(workers)]
        self._file_bytes = 0 if job.rows_only else job.file_bytes
        self._row_bytes = job.file_bytes / job.shards if job.rows_only else 0
        self._has_files: dict[int, float] = {}
        self._started: set[int] = set()
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, str, int]] = []
        self._driver_free = self._file_bytes / costs.put_rate
        self._sources = [self._driver_free]
        self._now = 0.0

    def run(self) -> float:
        for worker in range(min(len(self._machine_of), len(self._left))):
            self._at(0.0, "call", worker)
        last = 0.0
        while self._events:
            self._now, _, what, worker = heapq.heappop(self._events)
            if what == "call":
                self._call(worker)
            else:  # a result: the driver takes it, and hands the next shard out
                last = self._drive()
                self._at(last, "call", worker)
        return last

    def _call(self, worker: int) -> None:
        if not self._left:
            return
        seconds = self._left.pop()
        self._driver_free = max(self._driver_free, self._now) + self._row_bytes / self._costs.put_rate
        ready = self._drive() + self._row_bytes / self._costs.fetch_rate
        begins = max(ready, self._fetched(self._machine_of[worker]))
        if worker not in self._started:
            self._started.add(worker)
            begins += self._costs.start_seconds
        self._at(begins + seconds, "result", worker)

    def _drive(self) -> float:
        """When the driver has done half of what a call costs it."""
        self._driver_free = max(self._driver_free, self._now) + self._costs.driver_seconds / 2
        return self._driver_free

    def _fetched(self, machine: int) -> float:
        """When a machine has the files."""
        if machine not in self._has_files:
            begins = max(heapq.heappop(self._sources), self._now)
            ends = begins + self._file_bytes / self._costs.fetch_rate
            heapq.heappush(self._sources, ends)  # who sent
            heapq.heappush(self._sources, ends)  # who has it now
            self._has_files[machine] = ends
        return self._has_files[machine]

    def _at(self, time: float, what: str, worker: int) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), what, worker))


def curve(job: Job, costs: Costs, counts: Sequence[int], per_machine: int) -> list[Simulated]:
    """For each number of workers."""
    return [simulated(job, costs, workers, per_machine) for workers in counts]
