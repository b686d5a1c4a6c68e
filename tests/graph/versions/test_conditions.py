"""Words that rules are written in."""

from __future__ import annotations

from types import SimpleNamespace

from resnet_edge.graph.versions.conditions import (
    by,
    either,
    first,
    has,
    hybrid,
    int16,
    is_,
    more_axes,
    per_channel,
)
from resnet_edge.graph.versions.operation import Operation
from tests.graph.versions.operands import operand


def operation(*given: str, gives: str = "float32", scales: int = 0, **options: object) -> Operation:
    """Of inputs (4, 3) of these dtypes, all with so many scales."""
    inputs = tuple(operand(dtype, 4, 3, scales=scales) for dtype in given)
    return Operation(
        name="ANY", inputs=inputs, outputs=(operand(gives, 4),), options=SimpleNamespace(**options)
    )


def test_a_version_by_the_dtype_of_an_input() -> None:
    rule = by({"int8": 2, "int16": 3}, index=1)
    assert [rule(operation("int8", dtype)) for dtype in ("int8", "int16", "bool")] == [2, 3, 1]
    assert rule(operation("int8")) == 1  # there is none
    assert by({"bool": 1}, otherwise=2)(operation("int8")) == 2


def test_the_first_condition_that_holds_decides() -> None:
    rule = first((5, is_("int8")), (3, more_axes(1)))
    assert [rule(operation(dtype)) for dtype in ("int8", "bool")] == [5, 3]
    assert first((5, is_("int8")))(operation("bool")) == 1


def test_either_end_and_both() -> None:
    assert either("int8")(operation("int8"))
    assert either("int8")(operation("float32", gives="int8"))
    assert not either("int8")(operation("float32", "int8"))
    assert int16(operation("int16", gives="int16"))
    assert not int16(operation("int16"))


def test_an_option_that_is_zero_or_not_there_is_not_set() -> None:
    assert has("axis")(operation("int8", axis=1))
    assert not has("axis")(operation("int8", axis=0))
    assert not has("axis")(operation("int8"))


def test_weights() -> None:
    assert hybrid(operation("float32", "int8"))
    assert not hybrid(operation("float32", "int8", gives="int8"))
    assert per_channel(0)(operation("float32", "int8", scales=4))
    assert not per_channel(1)(operation("float32", "int8", scales=4))
    assert not per_channel(2)(operation("float32", "int8", scales=4))  # no such axis
    assert not per_channel(0)(operation("float32"))
