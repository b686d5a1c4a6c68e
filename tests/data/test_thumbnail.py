"""Small pictures of images, as a page holds them."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from resnet_edge.data.thumbnail import LOSSLESS, SIDE, thumbnail


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_image_keeps_every_pixel(channels: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (LOSSLESS, 30, channels), np.uint8)
    uri = thumbnail(image)
    assert uri.startswith("data:image/png;base64,")
    assert np.array_equal(np.asarray(decoded(uri)).reshape(image.shape), image)
    assert thumbnail(image.astype(np.float32)) == uri


def test_a_photo_is_made_small_with_its_shape() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 400, 3), np.uint8)
    uri = thumbnail(image)
    assert uri.startswith("data:image/jpeg;base64,")
    assert decoded(uri).size == (SIDE, SIDE // 2)
    assert len(uri) < 10_000
    assert thumbnail(image) == uri


def test_what_is_no_picture_has_none() -> None:
    assert thumbnail(np.zeros((8, 8, 4), np.uint8)) == ""
