"""Runs in a worker. What the cores that are timed can do at most (core/roofline.py), measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from resnet_edge.benchmarking.instructions import FLOAT, INT8, Compiled, Loop, fitting
from resnet_edge.benchmarking.task import MeasureCeilings
from resnet_edge.core.machine import processor_flags
from resnet_edge.core.roofline import Ceilings
from resnet_edge.workers.cores import stay_on
from resnet_edge.workers.progress import OnProgress

ROUNDS = 100_000
TRIES = 15
"""Of some milliseconds each: the fastest counts, in which nothing else ran on the cores."""
ARRAY_BYTES = 128 << 20
"""Several times the largest caches of cores that are rented out."""


def ceilings(request: MeasureCeilings, on_progress: OnProgress) -> Ceilings:
    """Measure all of them, in a second or two."""
    stay_on(request.cores)
    flags = processor_flags()
    with ThreadPoolExecutor(request.threads) as pool:
        float_gmacs, float_by = _fastest(FLOAT, flags, request.threads, pool)
        int8_gmacs, int8_by = _fastest(INT8, flags, request.threads, pool)
        gigabytes = _reading(request.threads, pool)
    return Ceilings(
        float_gmacs=float_gmacs,
        float_by=float_by,
        int8_gmacs=int8_gmacs,
        int8_by=int8_by,
        gigabytes=gigabytes,
        cache_bytes=largest_cache(),
        tiles="amx_int8" in flags,
    )


def _fastest(
    loops: Collection[Loop], flags: Collection[str], threads: int, pool: ThreadPoolExecutor
) -> tuple[float | None, str]:
    """Billions of multiply-accumulates a second, and the instruction."""
    best: tuple[float | None, str] = (None, "")
    with suppress(OSError):  # the system lets nobody make code while running: then nothing is known
        for loop in fitting(loops, flags):
            seconds = _best(partial(Compiled(loop).run, ROUNDS), threads, pool)
            rate = threads * ROUNDS * loop.macs / seconds / 1e9
            if best[0] is None or rate > best[0]:
                best = rate, loop.name
    return best


def _reading(threads: int, pool: ThreadPoolExecutor) -> float:
    """Billions of bytes a second, read once or copied, whichever moves more."""
    size = ARRAY_BYTES // threads
    sources = [np.ones(size // 8, np.int64) for _ in range(threads)]
    targets = [np.empty_like(source) for source in sources]
    numbered = iter(range(1 << 30))

    def copying() -> None:
        number = next(numbered) % threads
        np.copyto(targets[number], sources[number])

    def summing() -> None:
        sources[next(numbered) % threads].sum()

    copied = 2 * threads * size / _best(copying, threads, pool)
    read = threads * size / _best(summing, threads, pool)
    return float(max(copied, read)) / 1e9


def _best(work: Callable[[], None], threads: int, pool: ThreadPoolExecutor) -> float:
    """Seconds until all threads have done it, in the fastest of the tries."""
    seconds = float("inf")
    for _ in range(TRIES):
        began = time.perf_counter()
        if threads == 1:
            work()
        else:
            for future in [pool.submit(work) for _ in range(threads)]:
                future.result()
        seconds = min(seconds, time.perf_counter() - began)
    return seconds


def largest_cache() -> int | None:
    """Bytes of the first core's largest cache, which psutil does not tell; None where the system does not."""
    sizes = []
    for entry in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = entry.read_text().strip()
        sizes.append(int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20}[text[-1]])
    return max(sizes, default=None)
