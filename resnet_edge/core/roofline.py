"""How near an artifact comes to what its machine can do at most (Williams et al., "Roofline", CACM 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Bound = Literal["multiplying", "reading weights"]


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """What the cores that are timed can do at most, measured: billions of multiply-accumulates a second
    in float32 and in int8, with the instruction that does them (None: no loop is written for this
    processor, or it may not be run), and billions of bytes a second from memory that is in no cache.

    `cache_bytes` is the size of the largest cache (None: the system does not tell). `tiles`: the
    processor has units for matrices (AMX), which multiply faster than any instruction measured here.
    """

    float_gmacs: float | None
    float_by: str
    int8_gmacs: float | None
    int8_by: str
    gigabytes: float
    cache_bytes: int | None
    tiles: bool = False


@dataclass(frozen=True)
class Work:
    """What one inference on one image has to do: multiply-accumulates by what they are computed in,
    int8 where both operands are integers, and bytes of weights to be read."""

    float_macs: int
    int8_macs: int
    weight_bytes: int


@dataclass(frozen=True)
class Roofline:
    """`limit_ms`: no program takes less time on these cores for a batch. `share`: of the median latency,
    which is 1 at the limit."""

    work: Work
    limit_ms: float
    share: float
    bound: Bound


def roofline(work: Work, ceilings: Ceilings, batch: int, p50_ms: float) -> Roofline | None:
    """None where a ceiling that it needs is not known.

    Multiplying and reading go on at the same time: the longer counts. Weights that fit the cache stay
    there between inferences.
    """
    seconds = 0.0
    for macs, rate in (
        (work.float_macs, ceilings.float_gmacs),
        (work.int8_macs, ceilings.int8_gmacs),
    ):
        if not macs:
            continue
        if rate is None:
            return None
        seconds += batch * macs / (1e9 * rate)
    stays = ceilings.cache_bytes is not None and work.weight_bytes <= ceilings.cache_bytes
    reading = 0.0 if stays else work.weight_bytes / (1e9 * ceilings.gigabytes)
    limit = 1000 * max(seconds, reading)
    if not limit:
        return None
    return Roofline(work, limit, limit / p50_ms, "multiplying" if seconds >= reading else "reading weights")
