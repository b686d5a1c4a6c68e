"""Times and sizes as users write them: `90s`, `2h`, `3ms`, `1MB`."""

from __future__ import annotations

import math
import re

from resnet_edge.core.errors import UsageError

TIMES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SIZES = {
    "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}  # fmt: skip
_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)")


def seconds_of(text: str, *, example: str = "90s or 2m", unit: str = "s") -> float:
    """Seconds, above 0; `unit` is meant where none is written, and "" asks for one. `example` is what a
    refusal shows. Raises UsageError."""
    number, written = _parts(text)
    scale = TIMES.get(written or unit)
    if number is None or scale is None:
        raise UsageError(f"{text!r} is no time: give a time, as in {example}")
    return number * scale


def bytes_of(text: str) -> int:
    """Whole bytes, at least 1; without a unit it is bytes. kB are 1,000, KiB are 1,024. Raises UsageError."""
    number, written = _parts(text)
    scale = SIZES.get((written or "B").lower())
    size = 0 if number is None or scale is None else math.floor(number * scale)
    if not size:
        raise UsageError(f"{text!r} is no size: give a size, as in 300kB or 1.5MB")
    return size


def _parts(text: str) -> tuple[float | None, str]:
    """A number above 0, None where there is none, and what is written behind it."""
    match = _NUMBER.fullmatch(text.strip())
    number = 0.0 if match is None else float(match[1])
    return (number if number > 0 and math.isfinite(number) else None), "" if match is None else match[2]
