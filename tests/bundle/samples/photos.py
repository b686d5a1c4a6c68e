"""Photos and contracts on which code in any language must make the pixels of the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.image_contract import PRESETS, ImageContract, contract
from tests.data.photos import noise

SIZES = ((8, 8), (60, 91), (17, 5), (3, 100), (1, 1), (33, 32), (7, 250))
"""Heights and widths: the same, shrunk, enlarged, both at once, a single pixel."""

HOSTILE = {
    "nearest": {"interpolation": "nearest", "antialias": False},
    "tensorflow-bicubic": {"interpolation": "bicubic", "antialias": False},
    "crop-nearest": {"interpolation": "nearest", "antialias": False, "fit": "crop", "crop_fraction": 0.7},
}


def cases() -> Iterator[tuple[ImageContract, NDArray[np.uint8]]]:
    """Contracts of 8 x 9 pixels, grey and RGB, with photos of noise and of the extremes."""
    for channels in (1, 3):
        hows = [contract(name, 8, 9, channels) for name in PRESETS]
        plain = contract("pillow", 8, 9, channels)
        hows += [replace(plain, name=name, **fields) for name, fields in HOSTILE.items()]  # type: ignore[arg-type]
        for number, size in enumerate(SIZES):
            photo = noise(*size, seed=number)
            if number % 2:
                photo = np.where(photo > 127, 255, 0).astype(np.uint8)
            yield from ((how, photo) for how in hows)
        yield contract("pillow", 8, 8, channels), noise(8, 8)
