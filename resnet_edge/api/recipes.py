"""The recipe of a training run, from the options that `train`, `prune` and `qat` share."""

from __future__ import annotations

from typing import Any

from resnet_edge.api.names import Augmentations, augmentations
from resnet_edge.api.values import Data, Model, ValueFiles, text
from resnet_edge.core.errors import UsageError
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.training.recipe import Recipe


def recipe(
    files: ValueFiles, *, data: Data, augment: Augmentations, teacher: Model | None, **options: Any
) -> Recipe:
    """`files` takes what is in memory; `teacher_weight` and `temperature` count as given where they are not
    None. Raises UsageError, DataError, ModelError."""
    soft = {name: options.pop(name) for name in ("teacher_weight", "temperature")}
    given = {name: value for name, value in soft.items() if value is not None}
    reading = {"preprocess": text(options.pop("teacher_preprocess")), "output": options.pop("teacher_output")}
    given |= {f"teacher_{name}": value for name, value in reading.items() if value is not None}
    taught = None if teacher is None else files.model(teacher)
    if taught is not None:
        check_source(ModelRequest(taught, **reading))
    elif given:
        raise UsageError(f"--{next(iter(given)).replace('_', '-')} needs --teacher MODEL")
    images = files.data(data)
    if images is None:
        raise UsageError("--data is missing: a network is trained on images with labels")
    return Recipe(
        **options,
        **given,
        data=images,
        augment=augmentations(augment),
        teacher=taught,
        titles=files.titles(data=images, teacher=taught),
    )
