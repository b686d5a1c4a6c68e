"""What an app does with a photo before the model gets it: the preprocessing contract, as data.

Everything else (scale, offset, channel order, grey) is inside the artifact (core/preprocessing.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = Literal["RGB", "grey"]
Fit = Literal["stretch", "crop"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]


@dataclass(frozen=True)
class ImageContract:
    """From a photo to an array (H, W, C) of raw pixels, 0 to 255, in these steps and in this order.

    1. The photo is turned upright, as its EXIF orientation says.
    2. `colour`: RGB in this order, without alpha; or one channel of grey by ITU-R BT.601 (`grey`).
    3. `fit`: `stretch` takes the whole photo, the aspect is not kept; `crop` takes the centred square whose
       side is `crop_fraction` of the photo's short side.
    4. That is resized to `height` x `width` by `interpolation`. `antialias`: where it shrinks, the filter
       is as wide as the pixels that become one (Pillow, tf.image.resize(antialias=True)); without it, the
       filter takes the nearest pixels alone (OpenCV, GPUs, Android's Bitmap.createScaledBitmap).

    `name` is the preset that a user names (stages/resize.py has them), or a file's stem.
    """

    name: str
    height: int
    width: int
    colour: Colour
    fit: Fit = "stretch"
    crop_fraction: float = 1.0
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
