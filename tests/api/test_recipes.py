"""Tests of api.recipes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from resnet_edge.api.recipes import recipe
from resnet_edge.api.values import value_files
from resnet_edge.core.errors import UsageError
from resnet_edge.training.recipe import Recipe

GIVEN: dict[str, Any] = {"data": "fashion-mnist", "epochs": 2, "teacher_weight": None, "temperature": None}


TEACHER: dict[str, Any] = {"teacher_preprocess": None, "teacher_output": None}


def recipe_of(**options: Any) -> Recipe:
    with value_files() as files:
        return recipe(files, **{"augment": "none", "teacher": None, **TEACHER, **GIVEN, **options})


@pytest.mark.parametrize(("augment", "names"), [("none", ()), ("flip, crop", ("flip", "crop")), ([], ())])
def test_augmentations_are_names_or_none(augment: Any, names: tuple[str, ...]) -> None:
    assert recipe_of(augment=augment).augment == names


def test_what_is_not_given_of_a_teacher_is_the_recipes_own() -> None:
    usual = Recipe(data="", epochs=1)
    own = recipe_of(teacher="resnet20", temperature=2.0)
    assert (own.teacher, own.temperature, own.teacher_weight) == ("resnet20", 2.0, usual.teacher_weight)


def test_a_temperature_without_a_teacher_is_refused() -> None:
    with pytest.raises(UsageError, match="--teacher-weight needs --teacher MODEL"):
        recipe_of(teacher_weight=0.5, temperature=2.0)


def test_without_data_nothing_is_trained() -> None:
    with pytest.raises(UsageError, match="--data is missing"):
        recipe_of(data=None)


def test_what_is_in_memory_is_called_the_same_each_time() -> None:
    """So that an unfinished run of it is known again, and the sidecar names no file that is gone."""
    images = np.zeros((2, 4, 4, 1), np.uint8)
    first, second, other = (
        recipe_of(data=(data, [0, 1])).lasting() for data in (images, images.copy(), images + 1)
    )
    assert first == second != other
    assert re.fullmatch(r"data \(in memory\), SHA-256 [0-9a-f]{64}", first["data"])
    plain = recipe_of(data="fashion-mnist").lasting()
    assert (plain["data"], "titles" in plain, "titles" in first) == ("fashion-mnist", False, False)
