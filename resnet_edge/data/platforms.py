"""How the platforms that models run on resize photos by themselves, and who does it how.

Each is held in tests/data/test_platforms.py against the real thing, where it runs here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.data.resize import Taps, centres, linear_taps, weighted, without_antialias

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A way to resize. `resize` takes RGB pixels (h, w, 3), a height and a width, and gives (height, width,
    3). `whole_photo`: the platform does it by itself, and an app cannot crop first. `how` and `users` are
    for people; `source` tells where it is known from, and how near this is to the real one."""

    name: str
    users: str
    how: str
    source: str
    resize: Callable[[Pixels, int, int], Pixels]
    whole_photo: bool = False


def _on_grid(at: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    return np.floor(at * steps + 0.5) / steps


def mediapipe(pixels: Pixels, height: int, width: int) -> Pixels:
    """cv2.warpPerspective of corners onto corners: output i of n looks at input i * size / n, which is up to
    half an output pixel left of and above its centre, in steps of 1/32; the border is repeated."""
    rows, columns = (
        linear_taps(_on_grid(np.arange(wanted) * (size / wanted), 32), size)
        for size, wanted in zip(pixels.shape, (height, width), strict=False)
    )
    return weighted(pixels, rows, columns)


def skia(pixels: Pixels, height: int, width: int) -> Pixels:
    """Skia's bilinear filter without mipmaps: the nearest two pixels each way, in steps of 1/16."""
    rows, columns = (
        linear_taps(np.floor(centres(size, wanted) * 16) / 16, size)
        for size, wanted in zip(pixels.shape, (height, width), strict=False)
    )
    return weighted(pixels, rows, columns)


def half_pixel(pixels: Pixels, height: int, width: int) -> Pixels:
    """The nearest two pixels each way, exactly."""
    return without_antialias(pixels, height, width, "bilinear")


def area(pixels: Pixels, height: int, width: int) -> Pixels:
    """The mean of what an output pixel covers; cv2.resize(INTER_AREA), which where it enlarges either way is
    bilinear, on a grid of its own."""
    if pixels.shape[0] < height or pixels.shape[1] < width:
        sizes = zip(pixels.shape, (height, width), strict=False)
        return weighted(pixels, *(_enlarging(size, wanted) for size, wanted in sizes))
    rows, columns = (
        _covering(size, wanted) for size, wanted in zip(pixels.shape, (height, width), strict=False)
    )
    return weighted(pixels, rows, columns)


def _covering(size: int, wanted: int) -> Taps:
    edges = np.arange(wanted + 1) * (size / wanted)
    first = np.floor(edges[:-1] + 1e-9).astype(np.int64)
    index = first[:, None] + np.arange(int(np.ceil(size / wanted)) + 1)
    ends = np.minimum(index + 1, edges[1:, None]) - np.maximum(index, edges[:-1, None])
    weight = ends.clip(0, None)
    return index.clip(0, size - 1), weight / weight.sum(axis=1, keepdims=True)


def _enlarging(size: int, wanted: int) -> Taps:
    scale = size / wanted
    left = np.floor(np.arange(wanted) * scale)
    share = (np.arange(wanted) + 1) - (left + 1) / scale
    share = np.where(share <= 0, 0, share - np.floor(share))
    return linear_taps(left + share, size)


def pillow(pixels: Pixels, height: int, width: int) -> Pixels:
    """Image.resize(BILINEAR): a triangle as wide as the pixels that become one."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


PLATFORMS = (
    Platform(
        name="mediapipe",
        users="MediaPipe Tasks",
        how="stretches the whole photo, without antialias, and half a pixel towards its top left corner",
        source="google-ai-edge/mediapipe, image_to_tensor_converter_opencv.cc; equal to what mediapipe "
        "1.2.2 feeds "
        "to a model on Linux, pixel by pixel. Builds without OpenCV and its GPU path resize by other code, "
        "which was not measured",
        resize=mediapipe,
        whole_photo=True,
    ),
    Platform(
        name="android",
        users="Android's Bitmap.createScaledBitmap(filter = true), TensorFlow Lite Support's ResizeOp, "
        "and a web "
        "page's drawImage of a canvas or an ImageBitmap",
        how="resize without antialias",
        source="Android's reference of createScaledBitmap (bilinear filtering) and its Skia; held "
        "against Skia in "
        "Chromium's drawImage, not against a phone",
        resize=skia,
    ),
    Platform(
        name="tensorflow",
        users="tf.image.resize, and OpenCV's INTER_LINEAR",
        how="resize without antialias",
        source="at most one level from tensorflow 2.21's tf.image.resize, rounded, in 0.3 % of values of "
        "noise, and "
        "from cv2.resize, which computes in fixed point, in 14 %",
        resize=half_pixel,
    ),
    Platform(
        name="opencv-area",
        users="OpenCV's INTER_AREA",
        how="takes the mean of the pixels that become one",
        source="at most one level from cv2.resize",
        resize=area,
    ),
    Platform(
        name="pillow",
        users="Pillow's BILINEAR, and torchvision's Resize of a PIL image",
        how="resizes with antialias",
        source="Pillow itself",
        resize=pillow,
    ),
)

UNKNOWN = (
    "ML Kit: how it resizes is not documented and could not be measured here",
    "iOS (Core Graphics, vImage, Vision): how they resize is not documented in numbers and could not be "
    "measured here",
    "drawImage of an <img> in Chromium: it first shrinks the photo by powers of two, which is not imitated "
    "here; draw a canvas or an ImageBitmap",
)
"""What nothing is claimed about, and why."""
