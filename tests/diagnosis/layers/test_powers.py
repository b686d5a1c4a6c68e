"""How large activations are, over images, and what is lost of them."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.diagnosis.layers.powers import Powers
from resnet_edge.diagnosis.layers.steps import StepGrid

RANDOM = np.random.default_rng(2)
IMAGES = RANDOM.normal(size=(3, 1, 4, 5, 2)).astype(np.float32)


def test_channels_are_last_or_second() -> None:
    powers = Powers()
    for image in IMAGES:
        powers.add({"last": image, "first": image.transpose(0, 3, 1, 2)})
    expected = np.square(IMAGES, dtype=np.float64).mean(axis=(0, 1, 2, 3))
    np.testing.assert_allclose(powers.channels("last", -1), expected)
    np.testing.assert_allclose(powers.channels("first", 1), expected)
    means = IMAGES.mean(axis=(0, 1, 2, 3), dtype=np.float64)
    np.testing.assert_allclose(powers.means("last", -1), means)
    np.testing.assert_allclose(powers.means("first", 1), means)
    assert powers.shapes["first"] == (1, 2, 4, 5)


def test_the_largest_of_all_images_and_the_loudest_channel() -> None:
    powers = Powers()
    for image in IMAGES:
        powers.add({"x": image, "scores": image.mean(axis=(1, 2))})
    assert powers.peaks["x"] == pytest.approx(float(np.square(IMAGES).max()))
    assert powers.loudest("scores") == pytest.approx(powers.channels("scores", -1).max())
    assert powers.loudest("x") >= powers.channels("x", -1).max()


def test_what_is_no_number_is_zero() -> None:
    powers = Powers()
    powers.add({"x": np.array([[np.nan, 2.0]], np.float32), "scalar": np.array(3.0, np.float32)})
    assert powers.channels("x", -1).tolist() == [0, 4]
    assert powers.peaks["scalar"] == 9


def test_only_what_is_beyond_a_grid_is_cut_off() -> None:
    powers, grid = Powers(), StepGrid(low=-1.0, high=2.0, step=0.1)
    powers.cut_off("x", np.array([0.5, 2.0], np.float32), grid)
    assert powers.cut == {}
    for _ in range(2):
        powers.cut_off("x", np.array([-2.0, 5.0], np.float32), grid)
    assert powers.cut["x"].tolist() == [2, 18]
