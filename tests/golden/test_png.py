"""PNG files that are written without a compressor, and read by Pillow."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from resnet_edge.golden.png import png


@pytest.mark.parametrize("shape", [(1, 1, 1), (28, 28, 1), (12, 9, 3), (224, 224, 3), (300, 219, 1)])
def test_pillow_reads_the_same_pixels(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    picture = Image.open(io.BytesIO(png(pixels)))
    picture.load()
    assert picture.mode == {1: "L", 3: "RGB"}[shape[2]]
    np.testing.assert_array_equal(np.asarray(picture).reshape(shape), pixels)


def test_its_bytes_are_these_wherever_it_is_made() -> None:
    pixels = (np.arange(200 * 150 * 3) * 7 % 251).astype(np.uint8).reshape(200, 150, 3)
    known = "e5c971e42165a57df69863c09134f2eb10a064db728cfb874a40caa431074148"
    assert hashlib.sha256(png(pixels)).hexdigest() == known
