"""Photos of any size, and files of some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZES = ((16, 20), (32, 40), (50, 71), (300, 401), (9, 11), (100, 15))
"""Heights and widths against the 16 x 20 of the tests: the same, halves, odd ratios, smaller, mixed."""


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """RGB noise: whatever a resize takes from where, it shows."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


GRADIENT = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def save(path: Path, pixels: np.ndarray = GRADIENT, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def colour(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((8, 8, 3), (red, green, blue), np.uint8)
