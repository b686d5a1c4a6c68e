"""How many images a look at a network may take, by what each of them costs."""

from __future__ import annotations

import sys


def images_within(work: float, macs: int | None, fewest: int, most: int = sys.maxsize) -> int:
    """As many as take no more than `work` multiply-accumulates at `macs` each, within `fewest` and `most`;
    `most` where nobody counted them (None, 0)."""
    return max(fewest, min(most, int(work // max(macs or 1, 1))))
