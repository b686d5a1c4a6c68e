"""How often `verify --sequential` is wrong, and how many images it runs, by simulation.

    python -m benchmarks.sequential [--runs N] [--seed N]

Each image is lost, gained or neither, at fixed rates; a proof stops as `verify` lets it (core/sequential.py).
A row is a pair of rates; beside it is the proof that looks once, at all images, on other draws. *Pass* is
wrong where the true drop is the limit or more, and *fail* where it is the limit or less: 2.5 % each are what
the intervals allow. *Holds*: the interval at the look where the proof stopped covers the true drop. The last
rows have no labels: there, the rate of changed answers is held against the limit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import keep
from resnet_edge.core.proportion import paired_drop, wilson
from resnet_edge.core.sequential import Looks, at_once, planned, quantile_to_fail

SETTINGS = ((10_000, 0.005), (2_000, 0.005), (3_000, 0.02), (50_000, 0.005))
"""Images, and the drop that is allowed."""
DROPS = (0.0, 0.2, 0.5, 1.0, 2.0)
"""True drops, of the limit."""
MORE = (0.0, 0.2, 1.0, 5.0)
"""Answers that are gained, and lost beside those of the drop, of the limit."""

Interval = Callable[[int, int, int, float], tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What becomes of an image, with which probability."""

    lost: float
    gained: float

    @property
    def drop(self) -> float:
        return self.lost - self.gained


@dataclass(frozen=True, kw_only=True)
class ProofRates:
    """Fractions of proofs that passed, that failed, and whose interval holds the drop; their mean images."""

    passed: float
    failed: float
    holds: float
    images: float


def simulated(
    looks: Looks, rates: Rates, limit: float, runs: int, seed: int, interval: Interval = paired_drop
) -> ProofRates:
    """So many proofs of a drop of at most `limit`."""
    random = np.random.default_rng(seed)
    odds = [rates.lost, rates.gained, 1 - rates.lost - rates.gained]
    tables, open_, before = np.zeros((runs, 2), np.int64), np.ones(runs, bool), 0
    passed = failed = holds = images = 0
    for n in looks.at:
        tables += random.multinomial(n - before, odds, size=runs)[:, :2]
        before = n
        ended = np.zeros(runs, bool)
        early = n < looks.at[-1]
        to_fail = quantile_to_fail(len(looks.at), early=early)
        for rows, (lost, gained) in _alike(tables, open_):
            low, high = interval(n, lost, gained, looks.z)
            passes, fails = high <= limit, interval(n, lost, gained, to_fail)[0] > limit
            if passes or fails or not early:
                ended[rows] = True
                passed += len(rows) * passes
                failed += len(rows) * fails
                holds += len(rows) * (low <= rates.drop <= high)
                images += len(rows) * n
        open_ &= ~ended
    return ProofRates(passed=passed / runs, failed=failed / runs, holds=holds / runs, images=images / runs)


def _alike(
    tables: NDArray[np.int64], open_: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], list[int]]]:
    """Proofs that have the same table, and the table: they share its interval."""
    rows = np.flatnonzero(open_)
    kinds, which = np.unique(tables[rows], axis=0, return_inverse=True)
    for number, table in enumerate(kinds.tolist()):
        yield rows[which.reshape(-1) == number], table


def changed(n: int, lost: int, gained: int, z: float) -> tuple[float, float]:
    """The interval of answers that change, where nothing tells which are lost."""
    return wilson(lost + gained, n, z)


def main() -> None:
    """Draw, print the tables, and keep what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = [_setting(n, limit, options.runs, options.seed) for n, limit in SETTINGS]
    for setting in settings:
        at = ", ".join(f"{look:,}" for look in setting["looks"])
        print(f"\n{setting['images']:,} images, {100 * setting['limit']:g} pp allowed: looks at {at}\n")
        print(details(setting))
    result = {"runs": options.runs, "settings": settings}
    print(f"\n{table(result)}")
    keep("sequential", result)


def _setting(n: int, limit: float, runs: int, first_seed: int) -> dict[str, Any]:
    """All rates, for so many images and such a limit; each beside the proof that looks once."""
    looks, rows = planned(n, limit), []
    for number, (rates, interval) in enumerate(_grid(limit)):
        seed = first_seed + 1000 * number
        ours = simulated(looks, rates, limit, runs, seed, interval)
        once = simulated(at_once(n), rates, limit, runs, seed + 1, interval)
        row = {"drop": rates.drop, "changed": rates.lost + rates.gained, "labels": interval is paired_drop}
        rows.append(row | {"sequential": asdict(ours), "once": asdict(once)})
    return {"images": n, "limit": limit, "looks": looks.at, "confidence": looks.confidence, "rates": rows}


def table(result: dict[str, Any]) -> str:
    """What is wrong at the limit, at worst, and the rates of the first setting."""
    lines = ["| at the limit, at worst | wrong pass | wrong fail | interval holds the true drop |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for how, title in (("sequential", "`--sequential`"), ("once", "one look, at all images")):
        rates = [
            row[how] for one in result["settings"] for row in one["rates"] if row["drop"] == one["limit"]
        ]
        wrong = [f"{max(row[key] for row in rates):.2%}" for key in ("passed", "failed")]
        lines.append(f"| {title} | {' | '.join(wrong)} | {min(row['holds'] for row in rates):.2%} |")
    first = result["settings"][0]
    looks = ", ".join(f"{look:,}" for look in first["looks"])
    lines += ["", f"Of {first['images']:,} images, with looks at {looks} and intervals of"]
    lines[-1] += (
        f" {100 * first['confidence']:.4g} %, all in per cent but the images (*changed*: lost or gained):"
    )
    return "\n".join([*lines, "", details(first)])


def details(setting: dict[str, Any]) -> str:
    """Every pair of rates."""
    lines = ["| drop, pp | changed | pass | fail | holds | images | pass, once | fail, once | holds, once |"]
    lines.append("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in setting["rates"]:
        ours, once = row["sequential"], row["once"]
        cells = [f"{100 * row['drop']:.2f}" if row["labels"] else "no labels", f"{100 * row['changed']:.2f}"]
        cells += [f"{100 * ours[key]:.2f}" for key in ("passed", "failed", "holds")]
        cells += [f"{ours['images']:,.0f}"]
        cells += [f"{100 * once[key]:.2f}" for key in ("passed", "failed", "holds")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _grid(limit: float) -> Iterator[tuple[Rates, Interval]]:
    for drop in DROPS:
        for more in MORE:
            yield Rates(lost=(drop + more) * limit, gained=more * limit), paired_drop
    for drop in DROPS[1:]:
        yield Rates(lost=drop * limit, gained=0.0), changed


if __name__ == "__main__":
    main()
