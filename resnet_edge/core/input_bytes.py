"""What the bytes of an image mean to an integer input.

An app has bytes, 0 to 255, and gives them to an integer input as they are (less 128 where it is int8): scale
and zero point of that input then say what each stands for. Where they say that it stands for itself, as near
as calibration came to it, the input takes pixels, and these are quantized as any number is. Where they say
anything else, a preprocessing was left outside of the network and inside of that grid: 1/255 is 0 to 1,
1/127.5 with zero point 127 or 128 is -1 to 1, and ImageNet's mean and deviation look like 0.0187 and 114.
"""

from __future__ import annotations

from typing import Literal

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.preprocessing import Preprocessing

BYTES = {"uint8": (0, 255), "int8": (-128, 127)}
_WIDE = {"uint16": (0, 65535), "int16": (-32768, 32767)}
WHITE = 255
UNIT = 1.0
"""The largest number of a preprocessing that begins at zero; photos all of which are darker than that are no
photos."""


def ends_of_bytes(spec: TensorSpec) -> tuple[float, float] | None:
    """What black and white stand for where an integer input is given bytes; None where it is no input of
    bytes, or has several grids."""
    affine = spec.quantization
    if spec.dtype not in BYTES or affine is None or len(affine.scale) != 1:
        return None
    black, white = (affine.scale[0] * (end - affine.zero_point[0]) for end in BYTES[spec.dtype])
    return black, white


def meant_by_bytes(spec: TensorSpec, channels: Literal["RGB", "BGR"] = "RGB") -> Preprocessing | None:
    """The preprocessing that an integer input stands for when it is given bytes, in the order of `channels`
    that its network sees; None where it takes pixels, is no input of bytes, or has several grids."""
    ends = ends_of_bytes(spec)
    if ends is None:
        return None
    assert spec.quantization is not None
    (scale,), (black, white) = spec.quantization.scale, ends
    holds_white = white >= WHITE - scale
    dark = black == 0 and white > UNIT + scale  # calibrated on images without white
    if holds_white or dark:
        return None
    return Preprocessing(name="bytes", where="graph", scale=(scale,), offset=(black,), channels=channels)


def brightest(spec: TensorSpec) -> float | None:
    """The largest number that an integer input holds, where that is less than white and bytes mean nothing
    else to it: brighter pixels are clipped to it. None for all others."""
    affine = spec.quantization
    ends = {**BYTES, **_WIDE}.get(spec.dtype)
    if affine is None or ends is None or meant_by_bytes(spec) is not None:
        return None
    grids = zip(affine.scale, affine.zero_point, strict=True)
    most, step = min((scale * (ends[1] - zero_point), scale) for scale, zero_point in grids)
    return most if most < WHITE - step else None
