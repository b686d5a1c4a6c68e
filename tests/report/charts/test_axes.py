"""Axes hold their values, and their ticks are round."""

from __future__ import annotations

import pytest

from resnet_edge.report.charts.axes import linear_axis, log_axis, zero_axis


@pytest.mark.parametrize("values", [[1.0], [0.5, 0.51], [0.001, 900.0], [5e-324 * 2**60, 1.0]])
def test_log_axis_holds_its_values(values: list[float]) -> None:
    axis = log_axis(values, 0, 100)
    assert all(0 < axis.at(value) < 100 for value in values)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


@pytest.mark.parametrize("values", [[100.0], [94.1, 94.12], [0.0, 100.0], [99.99, 100.0]])
def test_linear_axis_has_ticks_and_stops_at_the_most(values: list[float]) -> None:
    axis = linear_axis(values, 100, 0, most=100.0, least=0.4)
    assert 2 <= len(axis.ticks) <= 8
    assert max(axis.ticks) <= 100
    assert all(0 <= axis.at(value) <= 100 for value in values)


@pytest.mark.parametrize("most", [1e-4, 0.5, 1.0, 104.0, 3e5])
def test_zero_axis_begins_at_zero_and_holds_the_most(most: float) -> None:
    axis = zero_axis(most, 10, 110)
    assert axis.ticks[0] == 0
    assert 3 <= len(axis.ticks) <= 8
    assert axis.at(0) == 10
    assert 100 <= axis.at(most) <= 110


def test_values_outside_land_on_the_edge_and_the_ends_on_the_ends() -> None:
    for axis in (log_axis([1.0, 100.0], 10, 90), linear_axis([1.0, 99.0], 10, 90, most=100, least=1)):
        assert [axis.at(axis.low - 1e-3), axis.at(axis.low)] == [10, 10]
        assert axis.at(axis.high) == pytest.approx(90)
        assert axis.at(10 * axis.high) == pytest.approx(90)


def test_ten_times_is_as_far_everywhere_on_a_logarithmic_axis() -> None:
    axis = log_axis([0.01, 1000.0], 0, 500)
    steps = {round(axis.at(10 * value) - axis.at(value), 6) for value in (0.01, 0.1, 1, 10, 100)}
    assert len(steps) == 1
    assert axis.ticks == (0.01, 0.1, 1, 10, 100, 1000), "thinned to tens"


@pytest.mark.parametrize(("low", "high"), [(0.003, 0.02), (0.9, 1.1)])
def test_ticks_are_decimals_as_people_write_them(low: float, high: float) -> None:
    assert all(len(f"{tick!r}") <= 6 for tick in log_axis([low, high], 0, 100).ticks)
