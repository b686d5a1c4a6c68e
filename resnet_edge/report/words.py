"""How a report spells numbers and strings: the same in Markdown, HTML and on the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeGuard

from resnet_edge.core.printable import printable as printable

ABSENT = "–"
MINUS = "−"
MOST_DECIMALS = 7
"""Of a share in percent: one in a billion."""


def finite(value: float | None) -> TypeGuard[float]:
    """Whether there is a number, and it is neither NaN nor infinite."""
    return value is not None and math.isfinite(value)


def count(number: int, noun: str) -> str:
    """`1 image`, `10,000 images`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Bytes in decimal units, three digits: `285 kB`."""
    value = float(number)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{number} B" if unit == "B" else f"{_three_digits(value)} {unit}"
        value /= 1000
    return f"{_three_digits(value)} GB"


def percent(fraction: float | None, n: int) -> str:
    """A fraction as percent, with the decimals that `n` images can carry.

    More of them where it would read 0 or 100 and is not: 99,999 of 100,000 is never shown as 100.00 %.
    """
    if not finite(fraction):
        return ABSENT
    decimals = 2 if n >= 1000 else 1
    while fraction not in (0, 1) and decimals < MOST_DECIMALS and round(100 * fraction, decimals) in (0, 100):
        decimals += 1
    return f"{100 * fraction:.{decimals}f} %"


def points(value: float | None) -> str:
    """Percentage points with a true minus sign, two decimals."""
    return _signed(f"{value:.2f}") if finite(value) else ABSENT


def interval(bounds: tuple[float, float] | None, spell: Callable[[float | None], str] = points) -> str:
    """`[−0.05, 0.11]`, or nothing where there is no interval."""
    if bounds is None or not all(finite(bound) for bound in bounds):
        return ""
    return f"[{spell(bounds[0])}, {spell(bounds[1])}]"


def estimate(
    value: float | None, bounds: tuple[float, float] | None, spell: Callable[[float | None], str]
) -> tuple[str, str]:
    """A number and its interval, both spelled; no number, no interval."""
    return (spell(value), interval(bounds, spell)) if finite(value) else (ABSENT, "")


def milliseconds(value: float | None) -> str:
    """Three digits, without the unit: `0.412`, `12.3`."""
    return _three_digits(value) if finite(value) else ABSENT


def speed_up(value: float | None) -> str:
    """`2.41×`; below one it is a slow-down."""
    return f"{value:.2f}×" if finite(value) else ABSENT


def times(value: float | None) -> str:
    """A ratio in three digits, as tables have room for: `1.00×`, `37.9×`, `110×`."""
    return f"{_three_digits(value)}×" if finite(value) else ABSENT


def decibels(value: float | None) -> str:
    """`41.3 dB`; `∞ dB` where there is no noise at all."""
    if value is None or math.isnan(value):
        return ABSENT
    return f"{value:.1f} dB" if math.isfinite(value) else "∞ dB"


def seconds(value: float) -> str:
    """`0.4 s`, `12.3 s`, `2 min 5 s`."""
    if not finite(value):
        return ABSENT
    if value < 119.5:
        return f"{value:.1f} s"
    return f"{round(value) // 60} min {round(value) % 60} s"


def quantity(value: int | None) -> str:
    """A large count in words that people use: `268 k`, `40.8 M`, `4.09 G`."""
    if value is None:
        return ABSENT
    number = float(value)
    for unit in ("", "k", "M"):
        if number < 999.5:
            return f"{value}" if not unit else f"{_three_digits(number)} {unit}"
        number /= 1000
    return f"{_three_digits(number)} G"


def plain(value: Any) -> str:
    """Any JSON value in one line: strings as they are, lists with commas, numbers readable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ABSENT}[value]
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.6g}" if finite(value) else ABSENT
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or ABSENT
    if isinstance(value, dict):
        return "; ".join(f"{printable(str(key))}: {plain(item)}" for key, item in value.items()) or ABSENT
    return printable(json.dumps(value, default=str))


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, cut in the middle, where names that differ seldom differ."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    # The exponent after rounding: 0.9999 has that of 1.00.
    decimals = max(0, 2 - int(f"{value:.2e}".split("e")[1]))
    text = f"{value:.{min(decimals, 4)}f}"
    return f"{value:,.0f}" if decimals == 0 else text


def _signed(text: str) -> str:
    return "0.00" if text == "-0.00" else text.replace("-", MINUS)
