"""Which of two points is better, as far as chance lets it be known. Pure functions; runs anywhere.

Accuracy is compared image by image: two points answer the same images, so that what is easy or hard for both
divides out (core/proportion.paired_drop). Latencies are compared by their intervals, and sizes are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.proportion import Z95, drop_points
from resnet_edge.core.results.search import Objective

Relation = Literal["better", "equal", "worse", "unknown"]


@dataclass(frozen=True, kw_only=True)
class ComparedPoint:
    """What is known of one: bits of the first `n` images that it is right on, and as many as its objectives
    take of the interval of its latency (in any one unit), and of its sizes in bytes."""

    number: int
    n: int
    bits: int
    latency: tuple[float, float] | None = None
    size: int | None = None
    download: int | None = None


@dataclass(frozen=True, kw_only=True)
class PointComparison:
    """How points are compared: in which objectives, with which normal quantile for the intervals of
    accuracy, and which differences are none to the user: `equal_pp` of accuracy in percentage points,
    `equal_latency` as a share."""

    objectives: tuple[Objective, ...]
    equal_pp: float
    equal_latency: float
    z: float = Z95

    def relation(self, ours: ComparedPoint, theirs: ComparedPoint, objective: Objective) -> Relation:
        """How `ours` is beside `theirs`: better or worse beyond chance, equal within what is no difference to
        the user, or unknown."""
        if objective == "accuracy":
            return self._by_accuracy(ours, theirs)
        if objective == "latency":
            return self._by_latency(ours.latency, theirs.latency)
        return _by_size(getattr(ours, objective), getattr(theirs, objective))

    def beats(self, ours: ComparedPoint, theirs: ComparedPoint) -> bool:
        """Whether `theirs` is worse beyond chance in something, and `ours` is known not to be worse in
        anything by more than what is a difference to the user."""
        relations = {self.relation(ours, theirs, objective) for objective in self.objectives}
        return "better" in relations and relations <= {"better", "equal"}

    def same(self, ours: ComparedPoint, theirs: ComparedPoint) -> bool:
        """Whether neither is known to be better in anything."""
        known = {self.relation(ours, theirs, objective) for objective in self.objectives}
        return not known & {"better", "worse"}

    def undecided(self, ours: ComparedPoint, theirs: ComparedPoint) -> bool:
        """Whether more images could make one of them leave: only their accuracy is in the way."""
        others = {self.relation(ours, theirs, o) for o in self.objectives if o != "accuracy"}
        unknown = "accuracy" in self.objectives and self._by_accuracy(ours, theirs) == "unknown"
        return unknown and bool(others) and others <= {"better", "equal"}

    def _by_accuracy(self, ours: ComparedPoint, theirs: ComparedPoint) -> Relation:
        n = min(ours.n, theirs.n)
        if n == 0:
            return "unknown"
        lost, gained = changes(theirs.bits, ours.bits, n)
        drop = drop_points(n, lost, gained, self.z)
        if drop.high < 0:
            return "better"
        if drop.low > self.equal_pp:
            return "worse"
        return "equal" if drop.high <= self.equal_pp else "unknown"

    def _by_latency(self, ours: tuple[float, float] | None, theirs: tuple[float, float] | None) -> Relation:
        if ours is None or theirs is None:
            return "unknown"
        if ours[1] < theirs[0]:
            return "better"
        if ours[0] > theirs[1] * (1 + self.equal_latency):
            return "worse"
        return "equal" if ours[1] <= theirs[0] * (1 + self.equal_latency) else "unknown"


def _by_size(ours: int | None, theirs: int | None) -> Relation:
    if ours is None or theirs is None:
        return "unknown"
    if ours == theirs:
        return "equal"
    return "better" if ours < theirs else "worse"


def changes(before: int, after: int, n: int) -> tuple[int, int]:
    """Of the first `n` images, on how many `before` alone is right, and on how many `after` alone."""
    mask = (1 << n) - 1
    return (before & ~after & mask).bit_count(), (after & ~before & mask).bit_count()


def frontier(points: Sequence[ComparedPoint], comparison: PointComparison) -> list[ComparedPoint]:
    """Those that none of the frontier beats: who is beaten only by a point that leaves itself stays. Where
    points beat each other in a circle, which chance can make them seem to, all of the circle stay."""
    beaten_by = {
        one.number: {other.number for other in points if other is not one and comparison.beats(other, one)}
        for one in points
    }
    stays: set[int] = set()
    open_ones = set(beaten_by)
    while open_ones:
        safe = {number for number in open_ones if not beaten_by[number] & open_ones - stays}
        if not safe:
            break  # circles, and what hangs on them
        new = {number for number in safe if not beaten_by[number] & stays}
        stays |= new
        open_ones -= safe
        open_ones -= {number for number in open_ones if beaten_by[number] & stays}
    stays |= open_ones
    return [point for point in points if point.number in stays]


def first_that_beats(
    point: ComparedPoint, others: Iterable[ComparedPoint], comparison: PointComparison
) -> ComparedPoint | None:
    """One of `others` that does; None: none."""
    return next((one for one in others if one.number != point.number and comparison.beats(one, point)), None)


def in_words(ours: ComparedPoint, theirs: ComparedPoint, comparison: PointComparison) -> str:
    """In what `ours` is better beyond chance."""
    better = [o for o in comparison.objectives if comparison.relation(ours, theirs, o) == "better"]
    return " and ".join(better)
