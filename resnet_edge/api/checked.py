"""Which values an option takes: said once, in the signature of its function, and read by the command line.

@checked
def convert(*, max_drop: Percentage = 0.5, io: Io = "float32"): …
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from resnet_edge.core.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Within:
    """Bounds of a number, which it may reach but for those that are `open`."""

    least: float
    most: float = math.inf
    least_open: bool = False
    most_open: bool = False

    def holds(self, number: float) -> bool:
        """Whether it is within; NaN and infinity are not."""
        above = number > self.least if self.least_open else number >= self.least
        below = number < self.most if self.most_open else number <= self.most
        return above and below and math.isfinite(number)

    @property
    def words(self) -> str:
        """As they go behind "a number"."""
        if math.isinf(self.least):
            return ""
        if math.isinf(self.most):
            return f" above {self.least:g}" if self.least_open else f", {self.least:g} or more"
        least = f" {'above' if self.least_open else 'from'} {self.least:g}"
        return f"{least} {'and below' if self.most_open else 'to'} {self.most:g}"


AtLeast0: TypeAlias = Annotated[int, Within(least=0)]
AtLeast1: TypeAlias = Annotated[int, Within(least=1)]
NotNegative: TypeAlias = Annotated[float, Within(least=0)]
Positive: TypeAlias = Annotated[float, Within(least=0, least_open=True)]
Percentage: TypeAlias = Annotated[float, Within(least=0, most=100)]
PartBelowOne: TypeAlias = Annotated[float, Within(least=0, most=1, most_open=True)]
PartOfAll: TypeAlias = Annotated[float, Within(least=0, most=1, least_open=True)]
RealPart: TypeAlias = Annotated[float, Within(least=0, most=1, least_open=True, most_open=True)]
UpToHalf: TypeAlias = Annotated[float, Within(least=0, most=0.5)]
Shape: TypeAlias = tuple[int, int, int]
"""(H, W, C)."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse values of options that the signature does not allow, before anything else is done."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        hints = hints_of(function)
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            check(name, value, hints.get(name, Any))
        return function(*args, **kwargs)

    return call


@functools.cache
def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of a function's options, with their bounds."""
    return get_type_hints(function, include_extras=True)


def check(name: str, value: object, hint: Any) -> None:
    """Raises UsageError where a hint of one of the kinds above, of a choice, of a number or of True and False
    does not allow a value; hints of other kinds are their functions' matter."""
    if wanted := _missed(value, hint):
        option = name.replace("_", "-")
        raise UsageError(f"--{option} {value!r}: give {wanted}")


def _missed(value: object, hint: Any) -> str:
    """What was wanted, where a value is something else."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        missed = [_missed(value, one) for one in parts]
        return "" if "" in missed else " or ".join(dict.fromkeys(missed))
    if origin is Annotated:
        return _number_missed(value, parts[0], parts[1])
    if origin is Literal:
        return "" if value in parts else f"one of {', '.join(parts)}"
    if hint == Shape:
        sizes = value if isinstance(value, tuple | list) and len(value) == 3 else (0,)
        positive = not any(_missed(size, AtLeast1) for size in sizes)
        return "" if positive else "three positive whole numbers: height, width and channels"
    if hint in (int, float):
        return _number_missed(value, hint, Within(least=-math.inf))
    return "" if hint not in _KINDS or isinstance(value, hint) else _KINDS[hint]


_KINDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    Path: "a path",
    type(None): "None",
}


def _number_missed(value: object, kind: type, within: Within) -> str:
    """True is no number, though Python counts with it; numpy's are."""
    wanted = numbers.Integral if kind is int else numbers.Real
    fits = isinstance(value, wanted) and not isinstance(value, bool) and within.holds(float(value))
    return "" if fits else f"{_KINDS[kind]}{within.words}"
