"""What the parent asks of the worker that fine-tunes for int8; `recipe.Compressed` comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.scheme import DenseScales
from resnet_edge.models import ModelRequest
from resnet_edge.training.recipe import Compressed, Recipe
from resnet_edge.workers.task import Task

QatPrecision = Literal["float32"]
"""What tensorflow-model-optimization trains in."""


@dataclass(frozen=True, kw_only=True)
class FineTuneForInt8(
    Task[Compressed],
    runs="resnet_edge.compression.qat:qat",
    reads=(
        "model.source",
        "recipe.data",
    ),
    writes=("out",),
):
    """Fine-tune `model` with fake quantization and write it, with its ranges, to `out` (.keras).

    `resume`, `overwrite` and `command` as in Train. `dense_scales`: of the int8 weights of dense
    layers, as `convert` is to be asked for them.
    """

    model: ModelRequest
    recipe: Recipe
    out: str
    resume: bool = False
    command: str = ""
    overwrite: bool = False
    dense_scales: DenseScales = "per-tensor"
