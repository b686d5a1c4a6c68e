"""Some of many rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """The numbers of up to `most` of `n` rows, evenly spread from the first to the last, in order."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).round().astype(np.intp))
