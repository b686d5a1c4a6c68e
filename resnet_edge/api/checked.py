"""Which values an option takes: said once, in the signature of its function, and read by the command line.

@checked
def convert(*, max_drop: Percentage = 0.5, io: Io = "float32"): …
"""

from __future__ import annotations

import errno
import functools
import inspect
import math
import numbers
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

from resnet_edge.core.errors import UnknownName, UsageError
from resnet_edge.core.printable import one_line

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


@dataclass(frozen=True)
class ValueRule:
    """Values that `by` does not take: it raises UsageError or UnknownName."""

    by: Callable[[Any], object]


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
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            hint = hints.get(name, Any)
            if isinstance(value, Iterator) and _takes_items(hint):
                bound.arguments[name] = value = tuple(value)  # what can be read once only
            check(name, value, hint)
        return function(*bound.args, **bound.kwargs)

    return call


@functools.cache
def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of a function's options, with their bounds."""
    return get_type_hints(function, include_extras=True)


def check(name: str, value: object, hint: Any) -> None:
    """Raises UsageError where a hint of one of the kinds above, of a choice, of a number, of True and False,
    of names or of a function does not allow a value, and where no file could have the name that a value is;
    and UnknownName where a name is none of the choices. Hints of other kinds are their functions' matter."""
    option = f"--{name.replace('_', '-')}"
    if wanted := _missed(value, hint) or _no_path(value, hint):
        raise UsageError(f"{option} {_shown(value)}: give {wanted}")
    for rule in _rules(hint) if value is not None else ():
        try:
            rule.by(value)
        except (UsageError, UnknownName) as error:
            raise type(error)(f"{option}: {error}") from error


def _rules(hint: Any) -> Iterator[ValueRule]:
    """Of a hint, and of the parts of a union."""
    if get_origin(hint) is Annotated:
        yield from (each for each in get_args(hint)[1:] if isinstance(each, ValueRule))
    elif get_origin(hint) in (Union, types.UnionType):
        yield from (each for part in get_args(hint) for each in _rules(part))


def _takes_items(hint: Any) -> bool:
    """Whether values one by one are allowed."""
    if get_origin(hint) in (Iterable, Sequence):
        return True
    return any(_takes_items(part) for part in get_args(hint))


SHOWN = 100
"""Characters of a value in a message; an array or a model as text has any number of them."""


def _shown(value: object) -> str:
    """On one line."""
    shown = one_line(repr(str(value) if isinstance(value, Path) else value))
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def _missed(value: object, hint: Any) -> str:
    """What was wanted, where a value is something else."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        missed = [_missed(value, one) for one in parts]
        return "" if "" in missed else " or ".join(dict.fromkeys(missed))
    if origin is Annotated:
        bounds = parts[1]
        return (
            _number_missed(value, parts[0], bounds)
            if isinstance(bounds, Within)
            else _missed(value, parts[0])
        )
    if origin is Literal:
        return "" if isinstance(value, str) and value in parts else f"one of {', '.join(parts)}"
    if origin in (Iterable, Sequence):
        return _items_missed(value, parts[0])
    if origin is Mapping:
        pairs = value.items() if isinstance(value, Mapping) else ((None, None),)
        fits = not any(_missed(key, parts[0]) or _missed(one, parts[1]) for key, one in pairs)
        return "" if fits else f"a dict, from {_KINDS[parts[0]]} to {_missed(None, parts[1])}"
    if origin is Callable:
        return "" if callable(value) else "a function"
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


def _items_missed(value: object, hint: Any) -> str:
    try:
        fits = not any(_missed(one, hint) for one in value)  # type: ignore[attr-defined]  # that is what is asked
    except TypeError:
        fits = False
    return "" if fits else f"a list, of {_KINDS[hint]} each"


def _no_path(value: object, hint: Any) -> str:
    """What was wanted, where a text cannot be written down, or cannot be the name of a file and has to."""
    if not isinstance(value, str | Path):
        return ""
    try:
        encoded = os.fsencode(value)
        if b"\0" in encoded:
            return "a text without characters of code 0"
        if any(one in (Path, Any) for one in _kinds(hint)):
            if not encoded:
                return "a name"
            os.lstat(encoded)
    except UnicodeEncodeError:
        return "a text that can be written in UTF-8"
    except OSError as error:
        return "a shorter name" if error.errno == errno.ENAMETOOLONG else ""
    return ""


def _kinds(hint: Any) -> Iterator[Any]:
    """The hint itself, and what it is a union of."""
    yield hint
    if get_origin(hint) in (Union, types.UnionType, Annotated):
        for part in get_args(hint):
            yield from _kinds(part)


def _number_missed(value: object, kind: type, within: Within) -> str:
    """True is no number, though Python counts with it; numpy's are."""
    if isinstance(value, numbers.Integral) and abs(int(value)) >= 1 << 63:  # what workers are asked in
        return f"{_KINDS[kind]} that 64 bits hold"
    wanted = numbers.Integral if kind is int else numbers.Real
    fits = isinstance(value, wanted) and not isinstance(value, bool) and within.holds(float(value))
    return "" if fits else f"{_KINDS[kind]}{within.words}"
