"""The choices of a search as users write them: a TOML file, and `--choose`. Pure functions; runs anywhere.

    [search]                        # optional: what else the search was asked for
    objectives = ["accuracy", "latency", "size"]
    max_drop = 5.0                  # percentage points
    max_latency = "3ms"
    [space]                         # each choice of space.Space; a scalar fixes it, a list chooses
    scheme = ["fp16", "int8"]
    amount = [0.2, 0.4]
    input_size = ["native", "20x20"]

A search writes such a file beside its report, so that `--space DIR/space.toml` repeats it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, get_args

from resnet_edge.calibrate.calibration_task import CalibratorName, RepairName
from resnet_edge.compression.pruning import ImportanceName
from resnet_edge.core import registry
from resnet_edge.core.choices import choose
from resnet_edge.core.errors import DataError, ResnetEdgeError, UnknownName, UsageError, first_line
from resnet_edge.core.files.documents import LARGEST, bounded
from resnet_edge.core.quantities import bytes_of, seconds_of
from resnet_edge.core.results.search import Objective, Pruning
from resnet_edge.searching.space import CHOICES, Space, configured

Values = Mapping[str, tuple[Any, ...]]
"""The values of some choices, by their names."""
AS_THE_MODEL = "native"
"""How an input size is written that is the model's own."""
LARGEST_SIDE = 8192
"""Pixels of an input."""
OBJECTIVES: tuple[str, ...] = get_args(Objective)


@dataclass(frozen=True, kw_only=True)
class SpaceFile:
    """What a file says; what it does not say is not in it. `limits` are by the names of the fields of
    `SearchLimits`, in their units."""

    space: Values = field(default_factory=dict)
    objectives: tuple[str, ...] | None = None
    limits: Mapping[str, float] = field(default_factory=dict)


def read_space(path: Path) -> SpaceFile:
    """The file at `path`. Raises DataError where it is no TOML file, and UsageError or UnknownName for what
    stands in it."""
    tables = _tables(path)
    try:
        for name in tables:
            choose("table", name, ("space", "search"))
        settings = _table("search", tables.get("search", {}))
        limits = {_option(key): value for key, value in settings.items()}
        objectives = limits.pop("objectives", None)
        return SpaceFile(
            space=values_of(_table("space", tables.get("space", {}))),
            objectives=None if objectives is None else objectives_of(_list("objectives", objectives)),
            limits={_LIMITS[key][0]: _limit(key, value) for key, value in limits.items()},
        )
    except (UsageError, UnknownName) as error:
        raise type(error)(f"{path}: {error}") from error


def _tables(path: Path) -> dict[str, Any]:
    fix = "name a file like the space.toml that a search writes"
    try:
        content = bounded(path)
        if content is None:
            raise DataError(f"{path} has more bytes than any space ({LARGEST:,}): {fix}")
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): {fix}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no TOML file ({first_line(error)}): {fix}") from error


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} is no table: write its values under a line [{name}]")
    return value


def _option(key: str) -> str:
    return choose("setting of a search", key, ("objectives", *_LIMITS))


def objectives_of(names: Iterable[object]) -> tuple[Any, ...]:
    """Each once; texts of Objective. Raises UsageError, UnknownName."""
    named = tuple(dict.fromkeys(choose("objective", _text(name), OBJECTIVES) for name in names))
    if not named:
        raise UsageError(f"no objective is named: choose from {', '.join(OBJECTIVES)}")
    return named


def values_of(given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Choices with one value or a list of them, as TOML or Python has them. Raises UsageError,
    UnknownName."""
    values: dict[str, tuple[Any, ...]] = {}
    for key, value in given.items():
        name = choose("choice", key, CHOICES)
        listed = _list(name, value)
        try:
            values[name] = tuple(dict.fromkeys(map(_READERS[name], listed)))
        except ResnetEdgeError as error:
            raise type(error)(f"{name}: {error}") from error
    return values


def values_in(text: str) -> dict[str, tuple[Any, ...]]:
    """One choice as the command line has it: `amount=0.2,0.4`. Raises UsageError, UnknownName."""
    key, equals, listed = text.partition("=")
    if not equals or not listed.strip():
        raise UsageError(f"{text!r} chooses nothing: write NAME=VALUE,…, as in amount=0.2,0.4")
    name = choose("choice", key.strip(), CHOICES)
    return values_of({name: [_typed(name, word.strip()) for word in listed.split(",")]})


def _typed(name: str, word: str) -> object:
    """A word of the command line as TOML would have it."""
    kind = float if name == "amount" else int if _READERS[name] in (_count, _at_least_one) else str
    try:
        return kind(word)
    except ValueError:
        return word  # of the wrong type, which its reader says


def chosen(given: Mapping[str, Any] | str | Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """What `choose` of the API takes: a dict of values, or texts as on the command line; names may stand in
    one text, as everywhere. Raises UsageError, UnknownName."""
    if isinstance(given, Mapping):
        return values_of({name: _words(value) for name, value in given.items()})
    values: dict[str, tuple[Any, ...]] = {}
    texts = [given] if isinstance(given, str) else [*given]
    if not texts:
        raise UsageError("nothing is chosen: give a choice its values, or leave the option out")
    for text in texts:
        for name, more in values_in(text).items():
            if name in values:
                raise UsageError(f"{name} is chosen twice: list all its values at once")
            values[name] = more
    return values


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


def _list(name: str, value: object) -> list[Any]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values:
        raise UsageError(f"{name} has an empty list: give it a value, or leave it out")
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{_shown(value)} is no text: write it in quotes")
    return value


def _shown(value: object) -> str:
    return json.dumps(value, default=str)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{_shown(value)} is no number")
    return float(value)


def _amount(value: object) -> float:
    amount = _number(value)
    if not 0 <= amount < 1:
        raise UsageError(f"{_shown(value)} is no share that can go: give one from 0 to below 1, as 0.5")
    return amount


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise UsageError(f"{_shown(value)} is no count: give a whole number, 0 or more")
    return value


def _at_least_one(value: object) -> int:
    if not (number := _count(value)):
        raise UsageError("0 is too few: give a whole number, 1 or more")
    return number


def _one_of(kind: str, names: Iterable[str]) -> Callable[[object], str]:
    known = tuple(names)
    return lambda value: choose(kind, _text(value), known)


def _size(value: object) -> tuple[int, int] | None:
    """(H, W): "20x24", or one number for both."""
    if value is None or value == AS_THE_MODEL:
        return None
    if isinstance(value, tuple | list) and len(value) == 2:
        sides = (_count(value[0]), _count(value[1]))
    else:
        match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", str(value).strip())
        sides = (0, 0) if match is None else (int(match[1]), int(match[2] or match[1]))
    if not all(0 < side <= LARGEST_SIDE for side in sides):
        raise UsageError(
            f"{_shown(value)} is no input size: give HxW in pixels, as 24x24, one number for both, or "
            f"{AS_THE_MODEL}"
        )
    return sides


_READERS: dict[str, Callable[[object], Any]] = {
    "input_size": _size,
    "pruning": _one_of("kind of pruning", get_args(Pruning)),
    "amount": _amount,
    "importance": _one_of("importance", get_args(ImportanceName)),
    "multiple": _at_least_one,
    "remove_blocks": _count,
    "epochs": _count,
    "qat_epochs": _count,
    "scheme": _one_of("scheme", registry.names("schemes")),
    "float_layers": _count,
    "calibrator": _one_of("calibrator", get_args(CalibratorName)),
    "repair": _one_of("repair", get_args(RepairName)),
}


def _drop(value: object) -> float:
    drop = _number(value)
    if not 0 <= drop <= 100:
        raise UsageError(f"{_shown(value)} is no drop: give percentage points, from 0 to 100")
    return drop


def _latency(value: object) -> float:
    """Milliseconds of a text with its unit."""
    if not isinstance(value, str):
        raise UsageError(f'{_shown(value)} has no unit: write a time in quotes, as "3ms"')
    return 1000 * seconds_of(value, example="3ms", unit="")


def _bytes(value: object) -> float:
    if not isinstance(value, int | str):
        raise UsageError(f'{_shown(value)} is no size: give whole bytes, or a text as "300kB"')
    return float(bytes_of(str(_count(value)) if isinstance(value, int) else value))


_LIMITS: dict[str, tuple[str, Callable[[object], float], Callable[[float], str]]] = {
    "max_drop": ("max_drop_pp", _drop, lambda value: f"{value!r}"),
    "max_latency": ("max_latency_ms", _latency, lambda value: json.dumps(f"{value:.12g}ms")),
    "max_size": ("max_size", _bytes, lambda value: f"{value:.0f}"),
    "max_download": ("max_download", _bytes, lambda value: f"{value:.0f}"),
}
"""By the names of the options: the field of `SearchLimits`, and how its value is read and written."""


def _limit(key: str, value: object) -> float:
    try:
        return _LIMITS[key][1](value)
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from error


def space_text(
    space: Mapping[str, tuple[Any, ...]], objectives: Iterable[str], limits: Mapping[str, float]
) -> str:
    """The file that says this: `space` as SearchResult has it, without choices that nothing in it can use."""
    lines = ["# What was searched. To search it again: resnet-edge search MODEL … --space THIS_FILE", ""]
    lines += ["[search]", f"objectives = {json.dumps(list(objectives))}"]
    lines += [f"{key} = {spell(limits[name])}" for key, (name, _, spell) in _LIMITS.items() if name in limits]
    lines += ["", "[space]"]
    without = unused(Space(**space))
    lines += [
        f"{name} = [{', '.join(_value_text(name, value) for value in space[name])}]"
        for name in CHOICES
        if name in space and name not in without
    ]
    return "\n".join([*lines, ""])


def _value_text(name: str, value: Any) -> str:
    if name == "input_size":
        return json.dumps(AS_THE_MODEL if value is None else f"{value[0]}x{value[1]}")
    return json.dumps(value)


PURPOSE = {
    "amount": "what is pruned: choose pruning=channel or pruning=magnitude",
    "importance": "channels: choose pruning=channel",
    "multiple": "channels: choose pruning=channel",
    "remove_blocks": "networks that get physically smaller: choose pruning=channel",
    "epochs": "networks that are pruned or resized: choose pruning and amount, or input_size",
    "qat_epochs": "integers: choose scheme=int8",
    "float_layers": "integers without qat_epochs: choose scheme=int8 and qat_epochs=0",
    "calibrator": "integers without qat_epochs: choose scheme=int8 and qat_epochs=0",
    "repair": "integers: choose scheme=int8",
}
"""What the choices are for that others decide on, and what makes use of them."""


def unused(space: Space) -> list[str]:
    """The choices that no configuration of the space can use."""
    used: set[str] = set()

    class Recording(Space):
        def values(self, name: str) -> tuple[Any, ...]:
            used.add(name)
            return super().values(name)

    recording = Recording(**{name: space.values(name) for name in CHOICES})
    for combination in product(*(_telling(name, space.values(name)) for name in DECIDING)):
        fixed = dict(zip(DECIDING, combination, strict=True))
        configured(recording, lambda name, values, fixed=fixed: fixed.get(name, values[0]))  # type: ignore[misc]  # bound now
    return [name for name in CHOICES if name not in used]


DECIDING = ("input_size", "pruning", "amount", "remove_blocks", "scheme", "qat_epochs")
"""The choices by which others have something to say."""


def _telling(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of numbers only whether there are any matters."""
    if name in ("pruning", "scheme"):
        return values
    return tuple({bool(value): value for value in values}.values())
