"""Axes of the picture: from values to pixels, and where the ticks stand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (1, 2, 5)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Values `low` to `high` on pixels `start` to `end`, linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; values outside land on the edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def log_axis(values: Iterable[float], start: float, end: float) -> Axis:
    """At least a factor of four wide, with air on both sides; ticks at 1, 2, 5 times ten to
    the n, thinned where there are many. Values are positive."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    air = max(1.25, 2 / math.sqrt(high / low))
    low, high = low / air, high * air
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    # Decimal text, because 5 * 10**-3 is 0.005 and not 0.005000000000000001.
    ticks = [t for n in decades for step in _STEPS if low <= (t := float(f"{step}e{n}")) <= high]
    if len(ticks) > 8:
        ticks = [t for n in decades if low <= (t := float(f"1e{n}")) <= high]
    return Axis(low=low, high=high, start=start, end=end, ticks=tuple(ticks), log=True)


def linear_axis(values: Iterable[float], start: float, end: float, most: float, least: float) -> Axis:
    """Around the values, at least `least` wide, with about five ticks, none above `most`."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    span = max(high - low, least)
    air = 0.08 * span + (span - (high - low)) / 2
    low, high = low - air, min(high + air, most + 0.04 * span)
    step = _round_step((high - low) / 5)
    first = math.ceil(low / step - 1e-9)
    ticks = [
        round(n * step, 10)
        for n in range(first, math.floor(high / step + 1e-9) + 1)
        if n * step <= most + 1e-9
    ]
    return Axis(low=low, high=high, start=start, end=end, ticks=tuple(ticks))


def zero_axis(most: float, start: float, end: float) -> Axis:
    """From zero to a little more than `most`, a positive value, with about six ticks."""
    high = 1.04 * most
    step = _round_step(high / 6)
    ticks = (round(n * step, 12) for n in range(math.floor(high / step + 1e-9) + 1))
    return Axis(low=0.0, high=high, start=start, end=end, ticks=tuple(ticks))


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
