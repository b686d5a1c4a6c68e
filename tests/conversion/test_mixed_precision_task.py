"""Tests of conversion.mixed_precision_task."""

from __future__ import annotations

import pytest

from resnet_edge.conversion.mixed_precision_task import Choices, FloatChoice
from resnet_edge.core.errors import UsageError

STEPS = Choices(
    choices=tuple(
        FloatChoice(float_layers=tuple("abc"[:count]), int8_macs=1 - count / 3, expected_sqnr_db=20.0 + count)
        for count in range(4)
    ),
    n=100,
)


def test_after_no_step_nothing_is_left_in_float() -> None:
    assert STEPS.after(0).float_layers == ()


def test_each_step_adds_what_costs_most_of_the_rest() -> None:
    assert STEPS.after(2).float_layers == ("a", "b")


def test_more_steps_than_there_are_is_refused() -> None:
    with pytest.raises(UsageError, match="--float-layers 4: after 3 steps nothing is left in int8"):
        STEPS.after(4)
