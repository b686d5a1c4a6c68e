"""Photos of any size, without a file of one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZES = ((16, 20), (32, 40), (50, 71), (300, 401), (9, 11), (100, 15))
"""Heights and widths against the 16 x 20 of the tests: the same, halves, odd ratios, smaller, mixed."""


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """RGB noise: whatever a resize takes from where, it shows."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
