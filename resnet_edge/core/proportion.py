"""The interval of a proportion. Without numpy, so that the parent can tell it in a report."""

from __future__ import annotations

import math
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)


def wilson(count: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Interval of the fraction `count` of `n` (E. B. Wilson, JASA 22 (1927) 209; n > 0), of 95 % or with
    the normal quantile `z`."""
    share, z2 = count / n, z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and n the ends are exact, and rounding must not move them inside.
    return (0.0 if count == 0 else centre - half), (1.0 if count == n else centre + half)
