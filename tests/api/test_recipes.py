"""Tests of api.recipes."""

from __future__ import annotations

from typing import Any

import pytest

from resnet_edge.api.recipes import recipe
from resnet_edge.core.errors import UsageError
from resnet_edge.training.recipe import Recipe

GIVEN: dict[str, Any] = {"data": "fashion-mnist", "epochs": 2, "teacher_weight": None, "temperature": None}


@pytest.mark.parametrize(("augment", "names"), [("none", ()), ("flip, crop", ("flip", "crop")), ([], ())])
def test_augmentations_are_names_or_none(augment: Any, names: tuple[str, ...]) -> None:
    assert recipe(augment=augment, teacher=None, **GIVEN).augment == names


def test_what_is_not_given_of_a_teacher_is_the_recipes_own() -> None:
    usual = Recipe(data="", epochs=1)
    found = recipe(augment="none", teacher="resnet20", **{**GIVEN, "temperature": 2.0})
    assert (found.teacher, found.temperature, found.teacher_weight) == ("resnet20", 2.0, usual.teacher_weight)


def test_a_temperature_without_a_teacher_is_refused() -> None:
    with pytest.raises(UsageError, match="--teacher-weight needs --teacher MODEL"):
        recipe(augment="none", teacher=None, **{**GIVEN, "teacher_weight": 0.5, "temperature": 2.0})
