"""Intervals of counts, two-sided with 95 % confidence or with another normal quantile `z`, and how many
images they need. Without numpy, so that the parent can tell them in a report."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
POWER = 0.8
Z_POWER = NormalDist().inv_cdf(POWER)
MOST_SAMPLES = 10**9


def wilson(count: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Interval of the fraction `count` of `n` (E. B. Wilson, JASA 22 (1927) 209; n > 0)."""
    share, z2 = count / n, z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and n the ends are exact, and rounding must not move them inside.
    return (0.0 if count == 0 else centre - half), (1.0 if count == n else centre + half)


def paired_drop(n: float, lost: float, gained: float, z: float = Z95) -> tuple[float, float]:
    """Interval of the accuracy drop (lost - gained) / n of two classifiers on the same n images.

    `lost`: the reference is right and the candidate wrong; `gained`: the reverse. The score
    interval for the difference of paired proportions: T. Tango, Statistics in Medicine 17
    (1998) 891-908. It holds its confidence where discordant pairs are few or none (with
    none it is about -3.84/n to 3.84/n with 95 %), where Wald's interval has no width at all.
    """
    if not (n > 0 and lost >= 0 and gained >= 0 and lost + gained <= n * (1 + 1e-9)):
        raise ValueError(f"no such table: n {n}, lost {lost}, gained {gained}")
    drop = (lost - gained) / n
    upper = _crossing(lambda delta: _score(n, lost, gained, delta) + z, drop, 1.0)
    lower = _crossing(lambda delta: _score(n, lost, gained, delta) - z, drop, -1.0)
    return lower, upper


@dataclass(frozen=True)
class DropPoints:
    """An accuracy drop in percentage points, and the ends of its interval."""

    value: float
    low: float
    high: float


def drop_points(n: float, lost: float, gained: float, z: float = Z95) -> DropPoints:
    """The drop (lost - gained) / n with the interval that `paired_drop` gives it."""
    low, high = paired_drop(n, lost, gained, z)
    return DropPoints(100 * (lost - gained) / n, 100 * low, 100 * high)


def _score(n: float, lost: float, gained: float, delta: float) -> float:
    """Tango's statistic for the drop `delta`: about N(0, 1) where delta is the true drop.

    Falls as delta grows. `q` is the constrained maximum-likelihood share of gained pairs.
    """
    b = (2 * n - lost + gained) * delta - lost - gained
    c = -gained * delta * (1 - delta)
    q = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * q + delta * (1 - delta))
    excess = lost - gained - n * delta
    if variance <= 0:  # delta is -1, 0 or 1, where nothing is left to vary
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def _crossing(function: Callable[[float], float], inside: float, outside: float) -> float:
    """Where `function` leaves the sign it has at `inside` on the way to `outside`; else `outside`."""
    positive = function(inside) > 0
    if (function(outside) > 0) == positive:
        return outside
    for _ in range(100):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        if (function(middle) > 0) == positive:
            inside = middle
        else:
            outside = middle
    return outside


def samples_needed(n: int, lost: int, gained: int, max_drop: float, z: float = Z95) -> int | None:
    """The fewest images, n or more, that would decide whether the drop is within `max_drop`.

    Decided means that `paired_drop` lies wholly at or below `max_drop` (a fraction), or
    wholly above; would means with a probability of POWER, should the rates of discordance
    seen so far be the true ones. At the mean alone every second try would miss. None where
    no number would do, since the drop seen is the limit itself, and above MOST_SAMPLES.
    Without discordance it is about 3.84 / max_drop. With n = 0 nothing is known, and no
    discordance is assumed.
    """
    seen = max(n, 1)
    per_image = (lost + gained) / seen - ((lost - gained) / seen) ** 2

    def decided(images: int, luck: float = Z_POWER) -> bool:
        most = images - gained * images / seen
        chance = luck * math.sqrt(per_image * images)
        low, _ = paired_drop(images, max(0.0, lost * images / seen - chance), gained * images / seen, z)
        _, high = paired_drop(images, min(most, lost * images / seen + chance), gained * images / seen, z)
        return high <= max_drop or low > max_drop

    return seen if decided(seen, luck=0.0) else _fewest(seen, decided)


def samples_needed_for_share(n: int, count: int, limit: float, z: float = Z95) -> int | None:
    """As samples_needed, for whether a share (now count / n) is at most `limit`, by `wilson`."""
    seen = max(n, 1)
    share = count / seen

    def decided(images: int, luck: float = Z_POWER) -> bool:
        chance = luck * math.sqrt(share * (1 - share) * images)
        low, _ = wilson(max(0.0, share * images - chance), images, z)
        _, high = wilson(min(float(images), share * images + chance), images, z)
        return high <= limit or low > limit

    return seen if decided(seen, luck=0.0) else _fewest(seen, decided)


def _fewest(start: int, decided: Callable[[int], bool]) -> int | None:
    """The smallest number from `start` on that is decided; what is decided stays so."""
    if decided(start):
        return start
    low, high = start, 2 * start
    while not decided(high):
        if high > MOST_SAMPLES:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high if high <= MOST_SAMPLES else None
