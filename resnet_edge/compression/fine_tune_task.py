"""What the parent asks of compression.fine_tune."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.models import ModelRequest
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_task import TrainingTask


@dataclass(frozen=True, kw_only=True)
class FineTune(
    TrainingTask,
    runs="resnet_edge.compression.fine_tune:fine_tune",
    reads=("model.source", "model.preprocess", "recipe.data"),
    writes=("out",),
):
    """Train `model` on as it is, by the recipe; `out`, `overwrite` and `command` as in Train."""

    model: ModelRequest
    recipe: Recipe
    out: str
    command: str = ""
    overwrite: bool = False
