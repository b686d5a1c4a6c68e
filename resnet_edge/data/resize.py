"""The reference of the preprocessing contract: from a photo to the pixels that a model gets.

With antialias it is Pillow's resize; without, the taps below. Both use the same filters on the same grid:
pixel centres at halves, so that output i of n looks at input (i + 1/2) * size / n - 1/2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.core.image_contract import DEFAULT, ImageContract, contract
from resnet_edge.data.photo import upright

MODES = {"grey": "L", "RGB": "RGB"}
RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}
KEYS_A = -0.5
"""The cubic of Keys (IEEE Trans. ASSP 29 (1981) 1153), as Pillow and tf.image.resize have it; OpenCV's and
torch's is -0.75."""

Box = tuple[int, int, int, int]


def apply(contract: ImageContract, photo: Image.Image | Path) -> NDArray[np.uint8]:
    """The photo as (H, W, C) uint8, by the steps of the contract.

    An Image is taken to be upright, with 8-bit samples, as data.photo.upright gives it; a path is read so.
    Transparency is dropped. Raises DataError for a file that does not decode.
    """
    image = photo if isinstance(photo, Image.Image) else upright(photo)
    image = image.convert(MODES[contract.colour])
    box = box_of(contract, image.width, image.height)
    if box != (0, 0, image.width, image.height):
        # Not resize(box=...): its filter takes pixels from outside of the box, which an app has cut off.
        image = image.crop(box)
    if contract.antialias or contract.interpolation == "nearest":
        pixels = np.asarray(
            image.resize((contract.width, contract.height), RESAMPLING[contract.interpolation])
        )
    else:
        whole = np.asarray(image).reshape(image.height, image.width, contract.channels)
        pixels = without_antialias(whole, contract.height, contract.width, contract.interpolation)
    return pixels.reshape(contract.height, contract.width, contract.channels)


def resized(images: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Arrays (N, h, w, C) as (N, height, width, C), by the resize that photos get (DEFAULT). What is no uint8
    goes through the same filter in float32, and is not rounded. Raises DataError where C is not that of
    photos."""
    steps = contract(DEFAULT, height, width, images.shape[3])
    whole = np.empty((len(images), height, width, images.shape[3]), images.dtype)
    for image, out in zip(images, whole, strict=True):
        if images.dtype == np.uint8:
            out[...] = apply(steps, Image.fromarray(image[..., 0] if steps.colour == "grey" else image))
            continue
        for channel in range(images.shape[3]):
            plane = Image.fromarray(np.ascontiguousarray(image[..., channel], np.float32))
            out[..., channel] = plane.resize((width, height), RESAMPLING[steps.interpolation])
    return whole


def box_of(contract: ImageContract, width: int, height: int) -> Box:
    """What of a photo is kept: left, top, right, bottom in whole pixels, the last two exclusive."""
    if contract.fit == "stretch":
        return 0, 0, width, height
    side = max(1, int(contract.crop_fraction * min(width, height) + 0.5))
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def without_antialias(
    pixels: NDArray[np.uint8], height: int, width: int, interpolation: str
) -> NDArray[np.uint8]:
    """Pixels (h, w, C) resized to (height, width, C): a weighted mean of the nearest two (bilinear) or four
    (bicubic) pixels each way, in float64, rounded half up. Beyond the border there are none, and the
    weights of the others are scaled up to a sum of one."""
    reach = 1 if interpolation == "bilinear" else 2
    rows, columns = (
        _taps(centres(size, wanted), size, reach)
        for size, wanted in zip(pixels.shape, (height, width), strict=False)
    )
    return weighted(pixels, rows, columns)


Taps = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Of each output along an axis: which inputs it takes, and their weights, both (outputs, taps)."""


def centres(size: int, wanted: int) -> NDArray[np.float64]:
    """Where `wanted` outputs look at an axis of `size` pixels."""
    return np.asarray((np.arange(wanted) + 0.5) * (size / wanted) - 0.5, np.float64)


def linear_taps(at: NDArray[np.float64], size: int) -> Taps:
    """The two pixels around each position, by distance; the border's is repeated beyond it."""
    left = np.floor(at)
    share = at - left
    index = np.stack([left, left + 1], axis=1).astype(np.int64)
    return index.clip(0, size - 1), np.stack([1 - share, share], axis=1)


def _taps(at: NDArray[np.float64], size: int, reach: int) -> Taps:
    """By the triangle (reach 1) or Keys' cubic (reach 2)."""
    index = np.floor(at).astype(np.int64)[:, None] + np.arange(1 - reach, 1 + reach)
    far = np.abs(index - at[:, None])
    weight = 1 - far if reach == 1 else _keys(far)
    weight = np.where((index >= 0) & (index < size), weight, 0.0)
    return index.clip(0, size - 1), weight / weight.sum(axis=1, keepdims=True)


def _keys(far: NDArray[np.float64]) -> NDArray[np.float64]:
    near = ((KEYS_A + 2) * far - (KEYS_A + 3)) * far * far + 1
    weight: NDArray[np.float64] = np.where(far < 1, near, KEYS_A * (((far - 5) * far + 8) * far - 4))
    return weight


def weighted(pixels: NDArray[np.uint8], rows: Taps, columns: Taps) -> NDArray[np.uint8]:
    """Weighted means of pixels (h, w, C) as uint8, rounded half up. Only what the taps take is copied."""
    (row, by_row), (column, by_column) = rows, columns
    taken = pixels[row.ravel()][:, column.ravel()].astype(np.float64)
    shaped = taken.reshape(*row.shape, *column.shape, pixels.shape[2])
    means = np.einsum("ijklc,ij,kl->ikc", shaped, by_row, by_column, optimize=True)
    # Nine decimals first: a tie must not fall to the side that a sum's last bit is on.
    rounded: NDArray[np.uint8] = np.floor(means.round(9) + 0.5).clip(0, 255).astype(np.uint8)
    return rounded
