"""Where direct labels go, so that none covers another label or a marker.

Greedy, in a fixed order of candidate places around each anchor, nearer ones first: the
simple method of Christensen, Marks and Shieber, "An Empirical Study of Algorithms for
Point-Feature Label Placement" (ACM TOG 1995), with leader lines for the far candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_DISTANCES = (8.0, 16.0, 28.0, 42.0, 58.0, 76.0, 96.0, 120.0, 150.0)
_DIRECTIONS = (
    (1, 0),
    (-1, 0),
    (0, -1),
    (0, 1),
    (0.7, -1),
    (0.7, 1),
    (-0.7, -1),
    (-0.7, 1),
    (1, -1),
    (1, 1),
    (-1, -1),
    (-1, 1),
)


@dataclass(frozen=True)
class Box:
    """A rectangle, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def inside(self, other: Box) -> bool:
        """Whether it lies within the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Wanted:
    """A label that wants a place near (x, y), `width` by `height` pixels large."""

    x: float
    y: float
    width: float
    height: float


def place(
    labels: Sequence[Wanted], within: Box, solid: Iterable[Box], soft: Iterable[Box] = ()
) -> list[Box | None]:
    """A box for each label, or None where no place is free.

    A box lies within `within` and overlaps neither another label nor a `solid` box; a place
    that also spares the `soft` boxes is preferred.
    """
    taken, avoided = list(solid), list(soft)
    places: list[Box | None] = []
    for label in labels:
        free = [
            box
            for box in _candidates(label)
            if box.inside(within) and not any(box.overlap(other) for other in taken)
        ]
        best = min(enumerate(free), key=lambda pair: _cost(pair[0], pair[1], avoided), default=None)
        places.append(best[1] if best else None)
        if best:
            taken.append(best[1])
    return places


def _cost(rank: int, box: Box, avoided: Sequence[Box]) -> float:
    return rank + 0.08 * sum(box.overlap(other) for other in avoided)


def _candidates(label: Wanted) -> Iterable[Box]:
    for distance in _DISTANCES:
        for dx, dy in _DIRECTIONS:
            x = label.x + (dx * distance if abs(dx) == 1 else 0) + (dx - 1) * label.width / 2
            y = label.y + dy * distance + (dy - 1) * label.height / 2
            yield Box(x, y, x + label.width, y + label.height)
