"""The recipe of a training run, from the options that `train`, `prune` and `qat` share."""

from __future__ import annotations

from typing import Any

from resnet_edge.api.values import Words, words
from resnet_edge.core.errors import UsageError
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.training.recipe import Recipe


def recipe(*, augment: Words, teacher: str | None, **options: Any) -> Recipe:
    """`augment`: names, or "none"; `teacher_weight` and `temperature` count as given where they are not
    None. Raises UsageError, DataError, ModelError."""
    soft = {name: options.pop(name) for name in ("teacher_weight", "temperature")}
    given = {name: value for name, value in soft.items() if value is not None}
    if teacher is not None:
        check_source(ModelRequest(teacher))
    elif given:
        raise UsageError(f"--{next(iter(given)).replace('_', '-')} needs --teacher MODEL")
    names = words(augment)
    return Recipe(**options, **given, augment=() if names == ("none",) else names, teacher=teacher)
