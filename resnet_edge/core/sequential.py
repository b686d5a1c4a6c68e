"""When a proof may stop early: how many images it looks at, and what repeated looks cost. Pure functions.

Images come in a seeded random order, and the verdict is asked for after the first of them, after twice as
many, and so on up to all. Who looks K times has K chances to be wrong. By Bonferroni's inequality all K
intervals hold together with 95 % where each is of 1 - 0.05 / K: then the one at which a proof stops holds,
too, whatever made it stop (repeated confidence intervals: C. Jennison, B. W. Turnbull, J. R. Stat. Soc. B 51
(1989) 305). A file fails before the last look only where an interval of 99.9 % is above the limit, too (J. L.
Haybittle, Br. J. Radiol. 44 (1971) 793; R. Peto et al., Br. J. Cancer 34 (1976) 585): sums of few lost
answers are skewed, and more of them are beyond the limit by chance than a normal quantile says. What is
broken is far beyond. benchmarks/sequential.py counts how often all this is wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from statistics import NormalDist

from resnet_edge.core.proportion import Z95

GROWTH = 2
"""From one look to the next. Simulated, 1.5 takes up to a tenth fewer images where answers change,
and 8 % more where none does; 3 takes up to a fifth more."""
LAST = 1.5
"""All images are at least so many times those of the look before, so that the last is worth its look."""
EARLY = NormalDist().inv_cdf(0.9995)
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Looks:
    """A proof looks at its first so many images, in rising order, the last time at all of them."""

    at: tuple[int, ...]

    @property
    def z(self) -> float:
        """The normal quantile of the intervals at each look."""
        return quantile(len(self.at))

    @property
    def confidence(self) -> float:
        """Of each interval alone, so that all hold together with 95 %."""
        return 1 - 0.05 / len(self.at)


def quantile(looks: int) -> float:
    """The normal quantile of an interval that, with all others of so many looks, holds with 95 %."""
    return Z95 if looks == 1 else NormalDist().inv_cdf(1 - 0.025 / looks)


def quantile_to_fail(looks: int, *, early: bool) -> float:
    """The same of the interval that must be above the limit for a file to fail; `early`: before the last of
    the looks."""
    return max(quantile(looks), EARLY) if early else quantile(looks)


def at_once(n: int) -> Looks:
    """One look, at all `n` images."""
    return Looks(at=(n,))


def planned(n: int, max_drop: float) -> Looks:
    """The looks at `n` images for a drop of at most `max_drop` (a fraction): first at the fewest that could
    pass, those of which no answer changes; then at twice as many each time. Only one where `n` is too small
    for more, and where no number could pass."""
    if max_drop <= 0:
        return at_once(n)
    # More looks need a wider interval, and so more images for the first: the fewest looks that fit.
    return next(plan for looks in count(1) if len((plan := _doubling(n, max_drop, looks)).at) <= looks)


def fewest(max_drop: float, z: float) -> int:
    """Images, none of which changes its answer, that prove a drop of at most `max_drop` (a fraction): there
    the ends of `paired_drop` and `wilson` are both z² / (n + z²)."""
    return math.ceil(z**2 * (1 - max_drop) / max_drop)


def _doubling(n: int, max_drop: float, looks: int) -> Looks:
    at, look = [], max(1, fewest(max_drop, quantile(looks)))
    while look * LAST <= n:
        at.append(look)
        look *= GROWTH
    return Looks(at=(*at, n))
