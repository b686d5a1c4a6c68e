"""What the parent asks of the worker that prunes by magnitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.models import ModelRequest
from resnet_edge.training.devices import ONE, Devices
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_task import TrainingTask

Schedule = Literal["polynomial", "constant"]


@dataclass(frozen=True, kw_only=True)
class PruneMagnitude(
    TrainingTask,
    runs="resnet_edge.compression.prune_magnitude:prune",
    reads=("model.source", "model.preprocess", "recipe.data"),
    writes=("out",),
):
    """Set the share `amount` (0 to 1, both excluded) of each kernel's weights to zero while
    fine-tuning `model` by the recipe.

    `schedule`: `polynomial` approaches the amount step by step, `constant` begins with it.
    `exclude` are names or globs of layers that keep their weights; None: the first convolution.
    `devices`, `resume`, `overwrite` and `command` as in Train.
    """

    model: ModelRequest
    recipe: Recipe
    amount: float
    schedule: Schedule
    exclude: tuple[str, ...] | None
    out: str
    devices: Devices = ONE
    resume: bool = False
    command: str = ""
    overwrite: bool = False
