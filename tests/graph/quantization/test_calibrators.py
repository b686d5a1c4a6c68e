from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.calibrate.calibration_task import CalibratorName
from resnet_edge.core.errors import UnknownName
from resnet_edge.graph.quantization.calibrators import (
    CALIBRATORS,
    LEVELS,
    PERCENTILE,
    chosen_ranges,
    entropy,
    minmax,
    mse,
    percentile,
)
from resnet_edge.graph.quantization.histogram import Distribution, Histogram

RANDOM = np.random.default_rng(5)


def seen(values: NDArray[np.floating]) -> Distribution:
    rows = values.astype(np.float32).reshape(-1, 1)
    histogram = Histogram(1)
    histogram.add(rows, np.abs(rows).max(axis=0))
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    return histogram.distribution(low, high, np.ones(1))


def error(values: NDArray[np.floating], low: float, high: float) -> float:
    """The mean squared error of int8, computed value by value."""
    step = (high - low) / LEVELS
    zero = np.rint(-128 - low / step)
    stored = np.clip(np.rint(values / step) + zero, -128, 127)
    return float(np.mean(((stored - zero) * step - values) ** 2))


NORMAL = RANDOM.normal(0, 1, 200_000)
OUTLIERS = np.append(NORMAL, [40.0, -25.0])
RELU = np.maximum(OUTLIERS, 0)
SHAPES = {"normal": NORMAL, "outliers": OUTLIERS, "relu": RELU, "uniform": RANDOM.uniform(-1, 3, 100_000)}


def test_option_names_are_those_of_the_calibrators() -> None:
    assert set(get_args(CalibratorName)) == {"auto", *CALIBRATORS}


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize("shape", SHAPES)
def test_range_keeps_zero_inside_and_what_was_seen_outside(name: str, shape: str) -> None:
    distribution = seen(SHAPES[shape])
    low, high = CALIBRATORS[name](distribution)
    assert min(distribution.low, 0) <= low <= 0 <= high <= max(distribution.high, 0)
    assert low < high
    if distribution.low == 0:
        assert low == 0


def test_minmax_is_all_that_was_seen() -> None:
    assert minmax(seen(np.array([-1.0, 2.0]))) == (-1.0, 2.0)
    assert minmax(seen(np.array([1.0, 2.0]))) == (0.0, 2.0), "zero is inside"
    assert minmax(seen(np.array([-3.0, -2.0]))) == (-3.0, 0.0)


def test_percentile_leaves_out_what_lies_beyond() -> None:
    low, high = percentile(seen(OUTLIERS))
    truth = np.percentile(OUTLIERS, [100 - PERCENTILE, PERCENTILE])
    np.testing.assert_allclose([low, high], truth, atol=0.3)  # two bins of the outliers' histogram
    assert percentile(seen(RELU))[0] == 0


def test_percentile_of_few_values_is_all_of_them() -> None:
    np.testing.assert_allclose(percentile(seen(np.linspace(-1, 2, 50))), (-1, 2), atol=0.05)


@pytest.mark.parametrize("shape", SHAPES)
def test_mse_errs_no_more_than_others_value_by_value(shape: str) -> None:
    values = SHAPES[shape]
    distribution = seen(values)
    best = error(values, *mse(distribution))
    for other in (minmax, percentile, entropy):
        assert best <= error(values, *other(distribution)) * 1.02  # the histogram is not the values


def test_mse_clips_a_lone_outlier_of_many_values_on_its_own_side_only() -> None:
    values = np.append(RANDOM.uniform(-1, 1, 1_000_000), 6.0)
    low, high = mse(seen(values))
    assert low < -0.98
    assert high < 3


def test_mse_clips_next_to_nothing_of_a_uniform_tensor() -> None:
    np.testing.assert_allclose(mse(seen(SHAPES["uniform"])), minmax(seen(SHAPES["uniform"])), rtol=0.02)


def test_entropy_cuts_a_thin_tail_and_keeps_a_full_range() -> None:
    _, high = entropy(seen(OUTLIERS))
    assert 2 < high < 10
    low, high = entropy(seen(SHAPES["uniform"]))
    assert high > 2.8
    assert low < -0.99


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize(("value", "limits"), [(0.0, (0.0, 1.0)), (2.5, (0.0, 2.5)), (-2.5, (-2.5, 0.0))])
def test_tensor_of_one_value_gets_a_range_that_holds_it(
    name: str, value: float, limits: tuple[float, float]
) -> None:
    ranges = chosen_ranges({"t": seen(np.full(10, value))}, name, {})
    assert ranges["t"] == pytest.approx(limits)


@pytest.mark.parametrize("name", CALIBRATORS)
def test_fixed_range_wins_as_it_stands(name: str) -> None:
    fixed = {"a": (0.0, 0.0), "elsewhere": (0.0, 6.0)}
    ranges = chosen_ranges({"a": seen(OUTLIERS), "b": seen(OUTLIERS)}, name, fixed)
    assert ranges == {"b": CALIBRATORS[name](seen(OUTLIERS)), **fixed}


def test_unknown_calibrator_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownName, match="no calibrator is called 'median'.*minmax, percentile"):
        chosen_ranges({}, "median", {})
