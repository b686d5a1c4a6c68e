"""The words that the rules of versions are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from resnet_edge.graph.versions.operation import Operation

Rule = Callable[[Operation], int]


def by(of: Mapping[str, int], index: int = 0, otherwise: int = 1) -> Rule:
    """The version by the dtype of one input."""
    return lambda operation: of.get(operation.type(index), otherwise)


def first(*conditions: tuple[int, Callable[[Operation], Any]]) -> Rule:
    """The version of the first condition that holds; 1 where none does."""
    return lambda operation: next((version for version, holds in conditions if holds(operation)), 1)


def is_(*dtypes: str, index: int = 0) -> Callable[[Operation], bool]:
    """One input is of one of these dtypes."""
    return lambda operation: operation.type(index) in dtypes


def either(*dtypes: str) -> Callable[[Operation], bool]:
    """The first input or the first output is."""
    return lambda operation: operation.type() in dtypes or operation.gives() in dtypes


def has(option: str) -> Callable[[Operation], bool]:
    """An option is set, or not zero."""
    return lambda operation: bool(operation.option(option))


def more_axes(than: int) -> Callable[[Operation], bool]:
    """The first input has more axes."""
    return lambda operation: operation.rank() > than


def hybrid(operation: Operation) -> bool:
    """Float in and out, with int8 weights: what it reads is rounded while it runs."""
    return operation.types("float32", "int8", "float32")


def per_channel(axis: int) -> Callable[[Operation], bool]:
    """The weights, the second input, have a scale for each index along `axis`."""
    return lambda operation: bool((weights := operation.input(1)) and weights.per_channel(axis))


def int16(operation: Operation) -> bool:
    """int16 in and out."""
    return operation.type() == operation.gives() == "int16"
