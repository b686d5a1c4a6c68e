"""Tests of data.pixels."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.preprocessing import PRESETS, Preprocessing
from resnet_edge.data.pixels import preprocessed

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["none", "model"])
def test_what_others_apply_is_left_to_them(name: str) -> None:
    values = preprocessed(IMAGES, PRESETS[name])
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, IMAGES)


def test_scale_and_offset_are_in_the_order_that_the_network_sees() -> None:
    how = Preprocessing(name="own", scale=(1.0, 2.0, 4.0), offset=(0.0, 0.5, -1.0), channels="BGR")
    values = preprocessed(IMAGES, how)
    red, green, blue = (IMAGES[..., channel].astype(np.float32) for channel in range(3))
    np.testing.assert_array_equal(values, np.stack([blue, 2 * green + 0.5, 4 * red - 1], axis=-1))
    assert IMAGES.dtype == np.uint8, "the images stay as they are"
