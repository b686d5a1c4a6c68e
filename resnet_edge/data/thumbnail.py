"""Runs in a worker. An image as a small picture for a page."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 96
"""Pixels of the longer side at most; what is smaller stays as it is."""
LOSSLESS = 48
"""Pixels up to which a picture is a PNG: there each of them is seen."""
MOST_BYTES = 250_000
"""Of all pictures of a page together."""


def thumbnail(image: NDArray[Any]) -> str:
    """A data URI of an image (H, W, C) of pixels from 0 to 255, grey or RGB; empty where it has another
    number of channels. The same image gives the same bytes."""
    channels = image.shape[2]
    if channels not in (1, 3):
        return ""
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    picture.thumbnail((SIDE, SIDE))
    kind, options = ("png", {}) if max(picture.size) <= LOSSLESS else ("jpeg", {"quality": 80})
    body = io.BytesIO()
    picture.save(body, kind, optimize=True, **options)
    return f"data:image/{kind};base64,{base64.b64encode(body.getvalue()).decode('ascii')}"
