"""Searches replayed on a table of benchmarks.search.measured: our study, random search and a grid.

    python -m benchmarks.search DIR [--seeds 20]

The hypervolume is the share of the box between nothing (no accuracy lost, no time, no bytes) and the model's
own fp32 file with a drop of 5 pp that a set of configurations is better than; the best that there is in the
table is 1. A grid has as many configurations as trials, evenly spread over the list of all. What a search
would show is checked on images that nobody saw: of the unseen half one half gives the figures, and the other
shows whether they hold.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import msgspec
import numpy as np
from optuna._hypervolume import compute_hypervolume  # no public function gives that of a set

from benchmarks.results import keep
from benchmarks.search import table
from benchmarks.search.measured import OBJECTIVES, SPACE, Table
from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.search import Configuration
from resnet_edge.core.sequential import quantile
from resnet_edge.searching import study
from resnet_edge.searching.comparison import PointComparison, frontier
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.space import starting
from resnet_edge.searching.standing import point_of
from resnet_edge.searching.study_task import AskTrial, OpenStudy, StudyPlace, StudyStamp, TellTrial
from resnet_edge.workers.progress import silent

AFTER = (25, 50, 100)
WORST_DROP = 5.0


class Replays:
    """Of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known = {one.configuration: one for one in table.outcomes}
        self.model = int(table.model, 16)
        self.largest = max(one.size_bytes or 0 for one in table.outcomes)
        self.best = self.hypervolume(table.outcomes)

    def losses(self, outcome: Outcome) -> tuple[float, float, float]:
        """Drop in percentage points, latency and size beside the model's own file."""
        mask = (1 << self.table.n) - 1
        lost = (self.model & mask).bit_count() - outcome.bits.bit_count()
        return (
            100 * lost / self.table.n,
            outcome.latency_ratio or 0.0,
            (outcome.size_bytes or 0) / self.largest,
        )

    def hypervolume(self, outcomes: Sequence[Outcome]) -> float:
        """As a share of the box."""
        box = np.array([WORST_DROP, 1.0, 1.0])
        values = np.array([self.losses(one) for one in outcomes])
        inside = values[(values < box).all(axis=1)]
        inside[:, 0] = np.maximum(inside[:, 0], 0.0)
        return float(compute_hypervolume(inside / box, np.ones(3))) if len(inside) else 0.0

    def ours(self, trials: int, seed: int) -> list[Outcome]:
        """The study that `search` uses, with its own first trials; what is drawn again does not count."""
        with tempfile.TemporaryDirectory() as folder:
            journal = Path(folder) / "study"
            journal.touch()
            place = StudyPlace(journal=str(journal), seed=seed, owner=str(journal))
            study.open_study(OpenStudy(place=place, stamp=_stamp()), silent)
            first, tried, again = starting(SPACE), dict[Configuration, Outcome](), 0
            while len(tried) < trials:
                wanted = first.pop(0) if first else None
                if again >= 3:
                    left = sorted(set(self.known) - set(tried), key=repr)
                    wanted = random.Random(seed + len(tried)).choice(left)
                drawn = study.ask(AskTrial(place=place, space=SPACE, first=wanted), silent)
                outcome = replace(self.known[drawn.configuration], number=drawn.number)
                again = again + 1 if drawn.configuration in tried else 0
                tried.setdefault(drawn.configuration, outcome)
                task = TellTrial(place=place, outcome=outcome, values=self.losses(outcome), violations={})
                study.tell(task, silent)
            study._study.cache_clear()
            study._storage.cache_clear()
        return [*tried.values()]

    def by_chance(self, trials: int, seed: int) -> list[Outcome]:
        """Random search without repeats."""
        return random.Random(seed).sample(self.table.outcomes, trials)

    def grid(self, trials: int, seed: int) -> list[Outcome]:
        """Evenly spread; the seed says where it begins."""
        every = self.table.outcomes
        step = len(every) / trials
        begin = random.Random(seed).random() * step
        return [every[min(len(every) - 1, math.floor(begin + step * n))] for n in range(trials)]

    def shown(self, outcomes: Sequence[Outcome]) -> tuple[int, int, int]:
        """How many points a search would show, on how many of them the other images give an accuracy within
        the interval, and on how many one that is no other beyond chance."""
        comparison = PointComparison(
            objectives=OBJECTIVES, equal_pp=0.5, equal_latency=0.05, z=quantile(3 * len(outcomes))
        )
        stays = frontier([point_of(one) for one in outcomes], comparison)
        numbers = {one.number: one.configuration for one in outcomes}
        half, inside, same = (self.table.images - self.table.n) // 2, 0, 0
        index = {one.configuration: str(one.number) for one in self.table.outcomes}
        for point in stays:
            bits = int(self.table.unseen[int(index[numbers[point.number]])], 16)
            mask = (1 << half) - 1
            ours, theirs = (bits & mask).bit_count(), ((bits >> half) & mask).bit_count()
            low, high = wilson(ours, half)
            inside += low <= theirs / half <= high
            low_too, high_too = wilson(theirs, half)
            share, other = ours / half, theirs / half
            apart = (
                math.hypot(share - low, high_too - other)
                if share > other
                else math.hypot(high - share, other - low_too)
            )
            same += abs(share - other) <= apart  # R. G. Newcombe, Statistics in Medicine 17 (1998) 873
        return len(stays), inside, same


def _stamp() -> StudyStamp:
    return StudyStamp(
        resnet_edge="",
        model_sha256="",
        data_sha256="",
        training=None,
        training_sha256="",
        calibration="",
        objectives=OBJECTIVES,
        backend="litert",
        threads=1,
        equal_within_pp=0.5,
        equal_within_latency=0.05,
        limits={},
        space=SPACE,
    )


def main() -> None:
    """Replay, print the table and keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    replays = Replays(msgspec.json.decode((options.folder / "measured.json").read_bytes(), type=Table))
    ways: dict[str, Callable[[int, int], list[Outcome]]] = {
        "search": replays.ours,
        "random": replays.by_chance,
        "grid": replays.grid,
    }
    rows, counts = [], [0, 0, 0]
    for trials in AFTER:
        row = [str(trials)]
        for name, way in ways.items():
            runs = [way(trials, seed) for seed in range(options.seeds)]
            shares = [replays.hypervolume(run) / replays.best for run in runs]
            row.append(f"{mean(shares):.4f} ± {stdev(shares):.4f}")
            if name == "search" and trials == AFTER[-1]:
                for run in runs:
                    counts = [have + new for have, new in zip(counts, replays.shown(run), strict=True)]
        rows.append(row)
    shown, inside, same = counts
    result = {
        "configurations": len(replays.known),
        "seeds": options.seeds,
        "rows": rows,
        "shown": shown,
        "inside": inside,
        "same": same,
    }
    print(table(result))
    keep("search", result)


if __name__ == "__main__":
    main()
