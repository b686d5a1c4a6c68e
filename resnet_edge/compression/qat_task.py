"""What the parent asks of the worker that fine-tunes for int8; `recipe.Compressed` comes back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from resnet_edge.core.scheme import DenseScales
from resnet_edge.core.sidecar import Step
from resnet_edge.models import ModelRequest
from resnet_edge.training.devices import ONE, Devices
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_task import TrainingTask

QatPrecision = Literal["float32"]
"""What tensorflow-model-optimization trains in."""


RATE = 1e-4
"""Of a network of which nothing is known: what torchvision's references fine-tune for int8 with."""
SHARE = 0.01
"""Of the learning rate that a network was trained with last, as NVIDIA's pytorch-quantization advises
("starting at 1% of the initial training learning rate"). Normalizations do not normalize any more in this
training, so that nothing makes up for a rate which is too large: 0.001 took a ResNet-18 that was trained last
with 0.01 from 71 % to 42 %."""


@dataclass(frozen=True, kw_only=True)
class _Trained:
    """What is read of the recipe in the details of a step."""

    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class FineTuneForInt8(
    TrainingTask,
    runs="resnet_edge.compression.qat:qat",
    reads=("model.source", "model.preprocess", "recipe.data"),
    writes=("out",),
):
    """Fine-tune `model` with fake quantization and write it, with its ranges, to `out` (.keras).

    `devices`, `resume`, `overwrite` and `command` as in Train. `dense_scales`: of the int8 weights of dense
    layers, as `convert` is to be asked for them. `default_rate`: nobody asked for the recipe's learning rate,
    and what is known of the model decides it (`rate_after`).
    """

    model: ModelRequest
    recipe: Recipe
    out: str
    devices: Devices = ONE
    resume: bool = False
    command: str = ""
    overwrite: bool = False
    dense_scales: DenseScales = "per-tensor"
    default_rate: bool = False


def rate_after(steps: Sequence[Step]) -> float:
    """The learning rate of a network that was made in `steps`: SHARE of the last that one of them was trained
    with, RATE where none was. Trainings for int8 do not count: a second would have SHARE of the first's."""
    known = [rate for step in steps if step.step != "qat" and (rate := _rate_of(step)) is not None]
    return SHARE * known[-1] if known else RATE


def _rate_of(step: Step) -> float | None:
    """None where it was not trained, or where its details have another form than ours: a sidecar is a file of
    the user's."""
    try:
        rate = msgspec.convert(step.details.get("recipe"), type=_Trained).learning_rate
    except msgspec.ValidationError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None
