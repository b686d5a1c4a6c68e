"""The clock, and the order in which sessions take their turns under it."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends import Session
from resnet_edge.core.device import is_software, untimed
from resnet_edge.core.errors import DeviceUnavailable, ResnetEdgeError
from resnet_edge.workers.progress import OnProgress, Progress

BLOCK_MS = 8.0
LARGEST_BLOCK = 64
REFILL = 2
"""One call is not timed for so many that are. ResNet-20 in float32 (1.1 MB of weights) takes 1.01 ms in the
first call after others had the core, 0.90 in the third and 0.82 from the fifth on."""
FEWEST_ROUNDS = 5
SETTLED_ROUNDS = 20
SETTLED = 0.01
"""Half of the 95 % interval of a median, as a share of it: no further round is taken once all are within. To
stop by the width of an interval leaves its coverage (Chow, Robbins, Ann. Math. Stat. 36 (1965) 457)."""

WARM_UP_RUNS = (5, 200)
WARM_UP_SECONDS = 1.0
WARM_UP_GAIN = 0.02


@dataclass(frozen=True)
class Runner:
    """A warm session, its one image as it takes it, and how many calls make one block."""

    session: Session
    image: NDArray[Any]
    block: int


def check_timed(session: Session, backend: str) -> None:
    """Raise DeviceUnavailable where a program imitates the device."""
    if is_software(session.device):
        raise DeviceUnavailable(untimed(backend, session.device))


def warm_up(session: Session, image: NDArray[Any]) -> int:
    """Run until it gets no faster; the number of calls that last BLOCK_MS, at least one.

    Warm is: five calls in a row without a best time that beats the earlier best by 2 %. A
    very slow session stops after a second and five calls.
    """
    fewest, most = WARM_UP_RUNS
    spent: list[float] = []
    while len(spent) < most:
        spent += timed(session, image, 1)
        if len(spent) < fewest:
            continue
        before = min(spent[:-fewest], default=math.inf)
        if min(spent[-fewest:]) > (1 - WARM_UP_GAIN) * before or sum(spent) > 1000 * WARM_UP_SECONDS:
            break
    return max(1, min(LARGEST_BLOCK, math.ceil(BLOCK_MS / max(min(spent), 1e-6))))


def interleave(
    runners: Mapping[int, Runner],
    rounds: int | None,
    budget_seconds: float,
    seed: int,
    on_progress: OnProgress,
    *,
    until_settled: bool = False,
) -> tuple[dict[int, NDArray[np.float64]], dict[int, ResnetEdgeError]]:
    """Milliseconds per call, (rounds, block) for each runner, and the runners that broke.

    Without `rounds`, as many as fit `budget_seconds`, but not fewer than FEWEST_ROUNDS; `until_settled`:
    no more than it takes to know all medians to SETTLED. A runner that breaks in any round is left out from
    there on and has no times at all.
    """
    random = np.random.default_rng(seed)
    times: dict[int, list[list[float]]] = {number: [] for number in runners}
    broken: dict[int, ResnetEdgeError] = {}
    began, reported, done = time.monotonic(), Progress(step="latency"), 0
    with _without_gc():
        while times and _go_on(done, rounds, time.monotonic() - began, budget_seconds):
            for number in random.permutation(sorted(times)).tolist():
                try:
                    times[number].append(timed_block(runners[number]))
                except ResnetEdgeError as error:
                    broken[number] = error
                    del times[number]
            done += 1
            elapsed = time.monotonic() - began
            if until_settled and done % SETTLED_ROUNDS == 0 and settled(times.values()):
                budget_seconds = min(elapsed, budget_seconds)
            now = _progress(done, rounds, elapsed, budget_seconds)
            if now.done - reported.done >= now.total / 100:  # telling costs the next block time
                on_progress(now)
                reported = now
    if times and not 0 < reported.total <= reported.done:
        on_progress(replace(now, done=now.total))  # also where all was settled before the first report
    return {number: np.array(rows) for number, rows in times.items()}, broken


def settled(times: Iterable[Sequence[Sequence[float]]]) -> bool:
    """Whether the median of each session is known, by the order statistics of the medians of its rounds."""
    return all(_half_width(np.sort(np.median(np.array(rows), axis=1))) <= SETTLED for rows in times)


def _half_width(ordered: NDArray[np.float64]) -> float:
    """Half of the distribution-free 95 % interval of a median, as a share of it (David, Nagaraja, Order
    Statistics, 7.1)."""
    n = len(ordered)
    reach = math.ceil(1.96 * math.sqrt(n) / 2)
    low, high = ordered[max(0, n // 2 - reach)], ordered[min(n - 1, n // 2 + reach)]
    return float((high - low) / 2 / ordered[n // 2])


def _go_on(done: int, rounds: int | None, elapsed: float, budget_seconds: float) -> bool:
    if rounds is not None:
        return done < rounds
    return done < FEWEST_ROUNDS or elapsed < budget_seconds


def _progress(done: int, rounds: int | None, elapsed: float, budget_seconds: float) -> Progress:
    """Rounds where their number is known, else tenths of a second of the budget."""
    if rounds is not None:
        return Progress(step="latency", done=done, total=rounds)
    total = max(1, round(10 * budget_seconds))
    return Progress(step="latency", done=min(round(10 * elapsed), total), total=total, note=f"round {done}")


def timed_block(runner: Runner) -> list[float]:
    """Milliseconds of each call of one block, after some that are not counted: they refill the caches which
    the session before has emptied, and those are nobody's latency."""
    timed(runner.session, runner.image, max(1, runner.block // REFILL))
    return timed(runner.session, runner.image, runner.block)


def timed(session: Session, image: NDArray[Any], calls: int) -> list[float]:
    """Milliseconds of each of `calls` calls, by the session's own clock where it has one."""
    own: Callable[[NDArray[Any], int], list[float]] | None = getattr(session, "timed", None)
    if own is not None:
        return own(image, calls)
    times, run, now = [], session.run, time.perf_counter_ns
    for _ in range(calls):
        began = now()
        run(image)
        times.append((now() - began) / 1e6)
    return times


@contextmanager
def _without_gc() -> Iterator[None]:
    """A collection in the middle of a call would be counted as the call's own time."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
