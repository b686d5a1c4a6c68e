"""Values of options that a function does not take, as the command line does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
import pytest

import resnet_edge
from resnet_edge.api.checked import (
    AtLeast1,
    PartBelowOne,
    Percentage,
    Positive,
    Shape,
    Within,
    check,
    hints_of,
)
from resnet_edge.api.names import Words
from resnet_edge.cli._options import value_type
from resnet_edge.core.errors import UnknownName, UsageError
from resnet_edge.workers.progress import OnProgress
from tests.api.test_signatures import COMMANDS, function_of, options

IMAGES = np.zeros((4, 8, 8, 3), np.uint8)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_takes_what_the_function_takes(name: str) -> None:
    """A choice or a number of a command is what the signature says, and not said again."""
    hints = hints_of(function_of(name))
    for key, option in options(name).items():
        if isinstance(option.type, click.Choice | click.IntRange | click.FloatRange) and key != "arch":
            wanted = value_type(_without_none(hints[key]))
            assert option.type.to_info_dict() == wanted.to_info_dict(), key


def _without_none(hint: Any) -> Any:
    """`X` of `X | None`."""
    parts = [one for one in getattr(hint, "__args__", ()) if one is not type(None)]
    return parts[0] if type(None) in getattr(hint, "__args__", ()) and len(parts) == 1 else hint


@pytest.mark.parametrize(
    ("value", "hint", "wanted"),
    [
        ("4", AtLeast1, "a whole number, 1 or more"),
        (0, AtLeast1, "a whole number, 1 or more"),
        (True, AtLeast1, "a whole number, 1 or more"),
        (2.0, AtLeast1, "a whole number, 1 or more"),
        (math.nan, Percentage, "a number from 0 to 100"),
        (101, Percentage, "a number from 0 to 100"),
        (math.inf, Positive, "a number above 0"),
        (1.0, PartBelowOne, "a number from 0 and below 1"),
        ((1, 2), Shape, "three positive whole numbers: height, width and channels"),
        ((8, 8, 0), Shape, "three positive whole numbers: height, width and channels"),
        ("yes", bool, "True or False"),
        (3, str | Path | None, "a text or a path or None"),
        (10**400, AtLeast1, "a whole number that 64 bits hold"),
        (10**400, Percentage, "a number that 64 bits hold"),
        (np.zeros(2), Literal["a", "b"], "one of a, b"),
        (3, Words, "a text or a list, of a text each"),
        (["a", 3], Words, "a text or a list, of a text each"),
        (b"a", Words, "a text or a list, of a text each"),
        (np.array(1), Words, "a text or a list, of a text each"),
        ("de", Mapping[str, str | Path], "a dict, from a text to a text or a path"),
        ({"de": 3}, Mapping[str, str | Path], "a dict, from a text to a text or a path"),
        (3, OnProgress, "a function"),
        ("a\0b", str | Path, "a text without characters of code 0"),
        (Path("a\0b"), str | Path, "a text without characters of code 0"),
        ("\ud800", str, "a text that can be written in UTF-8"),
        ("x" * 5000, str | Path | None, "a shorter name"),
        ("x" * 5000, Any, "a shorter name"),
    ],
)
def test_what_is_wanted_is_said(value: object, hint: Any, wanted: str) -> None:
    with pytest.raises(UsageError, match=f"^--some-option .*: give {wanted}$"):
        check("some_option", value, hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (np.int64(3), AtLeast1),
        (np.float32(0.5), Percentage),
        (100, Percentage),
        (None, AtLeast1 | None),
        ([8, 8, 3], Shape),
        (Path("x"), str | Path),
        (object(), Any),
        ("x" * 5000, str),
        (np.array(["a"]), Words),
        ({}, Mapping[str, str | Path]),
        (print, OnProgress),
    ],
)
def test_what_fits_is_taken(value: object, hint: Any) -> None:
    check("some_option", value, hint)


def test_a_value_is_shown_on_one_short_line() -> None:
    with pytest.raises(UsageError) as refused:
        check("trust", np.zeros((50, 50)), bool)
    assert len(str(refused.value)) < 200
    assert str(refused.value).isprintable()


def test_no_bound_is_said_where_there_is_none() -> None:
    assert Within(least=-math.inf).words == ""


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("convert", {"io": "foo"}),
        ("convert", {"dense_scales": "x"}),
        ("convert", {"max_drop": -1}),
        ("convert", {"threads": 0}),
        ("convert", {"trust": "yes"}),
        ("convert", {"latency_seconds": math.nan}),
        ("verify", {"feed": "photos"}),
        ("verify", {"images": 0}),
        ("bench", {"budget": 0}),
        ("bench", {"seed": 1.5}),
        ("train", {"epochs": 0}),
        ("train", {"precision": "float64"}),
        ("prune", {"amount": 1}),
        ("prune", {"method": "random"}),
        ("qat", {"label_smoothing": 1}),
        ("package", {"golden": 0}),
    ],
)
def test_nothing_is_begun_with_a_value_that_is_none(
    name: str, given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    needed: dict[str, dict[str, Any]] = {
        "train": {"arch": "resnet20", "data": IMAGES, "out": "net.keras"},
        "prune": {"method": "channel", "data": IMAGES, "out": "net.keras"},
        "qat": {"data": IMAGES, "out": "net.keras"},
    }
    first = () if name in ("train", "convert") else ("there.keras",)
    (option,) = given
    with pytest.raises(UsageError, match=f"^--{option.replace('_', '-')} .*: give "):
        getattr(resnet_edge, name)(*first, **needed.get(name, {}) | given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_what_refuses_a_value_does_not_say_its_option_again(name: str) -> None:
    for key, hint in hints_of(function_of(name)).items():
        option = f"--{key.replace('_', '-')}"
        for value in ("", ":", ",", "no such @ value"):
            said = _refusal(key, value, hint)
            assert said.count(f"{option} ") + said.count(f"{option}:") == bool(said), said


def _refusal(name: str, value: str, hint: Any) -> str:
    """What is said of a value; nothing where it is taken."""
    try:
        check(name, value, hint)
    except (UsageError, UnknownName) as error:
        return str(error)
    return ""
