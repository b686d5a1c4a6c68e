"""What rounding may do to a layer, and what it may not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.departures import Departure, DepartureSums, binding, departure
from resnet_edge.diagnosis.layers.rounding import Rounding
from resnet_edge.diagnosis.layers.steps import StepGrid

CHANNELS, TAPS, STEP = 24, 144, 0.01
GRID = StepGrid(low=-12.8, high=12.7, step=0.1)


def layer(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Patches (positions, taps) and weights (taps, channels)."""
    random = np.random.default_rng(seed)
    return random.gamma(1.0, 0.5, (400, TAPS)), random.normal(0, 0.2, (TAPS, CHANNELS))


def departing(
    seen: NDArray[np.float64], patches: NDArray[np.float64], weights: NDArray[np.float64]
) -> Departure | None:
    """What is said of `seen`, whose weights were stored in steps of STEP, and it itself on GRID."""
    sums = DepartureSums(CHANNELS)
    sums.add((patches @ weights).astype(np.float32), seen.astype(np.float32), GRID)
    variance = np.full(CHANNELS, STEP**2 / 12 * np.square(patches).sum(axis=1).mean())
    return departure(sums, sums, Rounding(random=variance, hard=np.zeros(CHANNELS), own=GRID.step / 2))


def on_grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.rint(values / GRID.step) * GRID.step, GRID.low, GRID.high)


@pytest.mark.parametrize("seed", range(40))
def test_rounding_to_the_nearest_is_no_departure(seed: int) -> None:
    patches, weights = layer(seed)
    rounded = np.rint(weights / STEP) * STEP
    assert departing(on_grid(patches @ rounded), patches, weights) is None


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_factor_is_a_departure(factor: float) -> None:
    patches, weights = layer(0)
    said = departing(on_grid(patches @ (np.rint(weights / STEP) * STEP) * factor), patches, weights)
    assert said is not None
    assert said.times > 1


def test_a_bias_that_is_lost_in_one_channel_is_a_departure() -> None:
    patches, weights = layer(1)
    seen = patches @ weights
    seen[:, 3] += 2.5
    said = departing(on_grid(seen), patches, weights)
    assert said is not None
    assert (said.kind, said.channels) == ("shift", (3,))


def test_what_a_grid_cuts_off_is_none() -> None:
    patches, weights = layer(2)
    wide = weights * 3
    assert np.abs(patches @ wide).max() > GRID.high
    assert departing(on_grid(patches @ wide), patches, wide) is None


def test_nan_where_a_number_was_expected_is_a_departure() -> None:
    patches, weights = layer(3)
    seen = patches @ weights
    seen[0, 0] = np.nan
    said = departing(seen, patches, weights)
    assert said is not None
    assert said.kind == "nan"


@pytest.mark.parametrize(("variance", "held"), [(1e-4, True), (1e4, False), (np.inf, False)])
def test_a_bound_that_zeros_would_keep_is_none(variance: float, held: bool) -> None:
    patches, weights = layer(4)
    sums = DepartureSums(CHANNELS)
    expected = (patches @ weights).astype(np.float32)
    sums.add(expected, expected, None)
    rounding = Rounding(random=np.full(CHANNELS, variance), hard=np.zeros(CHANNELS))
    assert binding(sums, rounding) is held


def test_what_is_nothing_but_zeros_is_held_to_nothing() -> None:
    sums, zeros = DepartureSums(CHANNELS), np.zeros((50, CHANNELS), np.float32)
    sums.add(zeros, zeros, None)
    assert not binding(sums, Rounding(random=np.zeros(CHANNELS), hard=np.zeros(CHANNELS)))


@pytest.mark.parametrize(("moved", "departs"), [(0.0, False), (0.5, True)])
def test_a_mean_that_was_corrected_on_other_images_is_right(moved: float, departs: bool) -> None:
    """Each image is off by another number, of which a bias takes the mean over others than these."""
    patches, weights = layer(5)
    expected = (patches @ weights).astype(np.float32)
    off = np.random.default_rng(6).normal(0, 0.05, (16, 1, CHANNELS)).astype(np.float32)
    replayed, own = DepartureSums(CHANNELS), DepartureSums(CHANNELS)
    for image, error in zip(np.split(expected[:320], 16), off, strict=True):
        replayed.add(image - error - 0.3, image, None)  # what repair has added to the bias, and then some
        own.add(image - error - moved, image, None)
    # errors of single images alone are within what rounding does; their mean is not
    rounding = Rounding(random=np.full(CHANNELS, 1e-6), hard=np.full(CHANNELS, 1e-3))
    departing = departure(replayed, own, rounding)
    assert departing is not None
    assert (departing.kind == "shift") is departs
