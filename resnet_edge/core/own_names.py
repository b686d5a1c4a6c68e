"""Layers as their model calls them, where they were renamed for TensorFlow (`ModelFacts.own_names`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_WORD = re.compile(r"[A-Za-z0-9_.-]+")
"""What a scope of TensorFlow can consist of."""

_COUNTED = re.compile(r"(.+)(_\d+)")
"""A scope that was opened again."""


_TELL_OF_LAYERS = {
    "attributions",
    "doubts",
    "error_growth",
    "executions",
    "explanations",
    "failures",
    "int8_risks",
    "notes",
    "plan",
}


def with_own_names(report: T, own_names: Mapping[str, str]) -> T:
    """`report` (a dataclass) with the own names of layers wherever it tells of layers."""
    if not own_names:
        return report
    values = {f.name: getattr(report, f.name) for f in fields(report) if f.name in _TELL_OF_LAYERS}
    return replace(report, **{name: named(value, own_names) for name, value in values.items()})


def named(value: Any, own_names: Mapping[str, str]) -> Any:
    """`value` (a dataclass, a tuple or list, a dict or text, however deep) with own names in all its texts
    but the paths of files."""
    if isinstance(value, str):
        return _WORD.sub(lambda match: _own(match[0], own_names), value)
    if isinstance(value, tuple | list):
        return type(value)(map(partial(named, own_names=own_names), value))
    if isinstance(value, dict):
        return {key: named(each, own_names) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: getattr(value, f.name) for f in fields(value) if f.name != "path"}
        return replace(value, **{name: named(each, own_names) for name, each in changed.items()})
    return value


def _own(word: str, own_names: Mapping[str, str]) -> str:
    if word in own_names:
        return own_names[word]
    if (counted := _COUNTED.fullmatch(word)) and counted[1] in own_names:
        return own_names[counted[1]] + counted[2]
    return word
