"""Runs in the parent. A training or fine-tuning run as plain data: what is asked for, and what comes of it.

Apart from the stages that train, which import Keras and which the parent must not load.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal

from resnet_edge.core.errors import DataError, OutputError, UsageError
from resnet_edge.core.files.documents import read_json
from resnet_edge.core.files.overwrite import check_file
from resnet_edge.core.sidecar import State, Step, sidecar_path
from resnet_edge.data.declared import check_training_data
from resnet_edge.models import ModelRequest, grant_of
from resnet_edge.training.devices import ONE, Devices
from resnet_edge.training.unfinished import check_unfinished, checkpoint_folder
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import training_data_grant
from resnet_edge.workers.task import Task

AUGMENTATIONS = ("flip", "crop", "erase")
"""What `training.augment` can do to images."""
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a training or fine-tuning run makes of a network.

    SGD with Nesterov momentum 0.9; the learning rate rises linearly over `warmup_epochs`
    and then falls to zero along a cosine (Loshchilov, Hutter, arXiv:1608.03983).
    `weight_decay` acts on kernels only. `validation` is the share of the training images
    that is held out, stratified by class; the test images are looked at once, at the end.

    With a `teacher` (a MODEL) the loss is `1 - teacher_weight` parts cross-entropy with the
    labels and `teacher_weight` parts divergence from the teacher's softened outputs at
    `temperature` (Hinton, Vinyals, Dean, arXiv:1503.02531).

    `teacher_preprocess` is what the teacher wants of raw pixels (None: it says so itself), and
    `teacher_output` names the one of its outputs that teaches; it takes images of the student's size.

    `titles` are what the fields `data` and `teacher` are called where they came in memory, and are in files
    that are gone when the run ends.
    """

    data: str
    epochs: int
    batch_size: int = 128
    learning_rate: float = 0.1
    warmup_epochs: float = 2.0
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = AUGMENTATIONS
    validation: float = 0.05
    seed: int = 0
    precision: Precision = "float32"
    input_shape: tuple[int, int, int] | None = None
    teacher: str | None = None
    teacher_preprocess: str | None = None
    teacher_output: str | None = None
    teacher_weight: float = 0.5
    temperature: float = 4.0
    titles: tuple[tuple[str, str], ...] = ()

    def teacher_request(self, shape: tuple[int, int, int] | None = None) -> ModelRequest | None:
        """The teacher, to open for images of `shape` (H, W, C), where these are known; None without one."""
        if self.teacher is None:
            return None
        return ModelRequest(
            self.teacher,
            input_shape=shape,
            preprocess=self.teacher_preprocess,
            output=self.teacher_output,
        )

    def lasting(self) -> dict[str, Any]:
        """The recipe as what stays has it: by the names of what was in memory."""
        held = asdict(self)
        titles = dict(held.pop("titles"))
        return {**held, **titles}


@dataclass(frozen=True)
class Compressed:
    """What `prune` and `qat` give: the file, what was done, and what should be said of it."""

    file: str
    step: Step
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainResult:
    """Where the model is and how good; `validation_top1` is a fraction (None: nothing held out), of
    `validation_n` images, with its 95 % interval."""

    file: str
    state: State
    validation_top1: float | None
    validation_n: int = field(default=0, kw_only=True)
    validation_top1_ci95: tuple[float, float] | None = field(default=None, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def sentence(self) -> str:
        """One line for people."""
        parts = [f"{self.file}: {self.state.parameters:,} parameters"]
        if self.validation_top1 is not None:
            held = _share(self.validation_top1, self.validation_top1_ci95)
            count = f" on {self.validation_n:,} images" if self.validation_n else ""
            parts.append(f"top-1 held out {held}{count}")
        if self.state.top1 is not None and "test" in self.state.images:
            parts.append(f"top-1 on {self.state.images} {_share(self.state.top1, self.state.top1_ci95)}")
        return ", ".join(parts)


def _share(share: float, between: tuple[float, float] | None) -> str:
    interval = "" if between is None else f" [{100 * between[0]:.2f}, {100 * between[1]:.2f}]"
    return f"{100 * share:.2f} %{interval}"


@dataclass(frozen=True, kw_only=True)
class Train(
    Task[TrainResult],
    runs="resnet_edge.training.train:train",
    reads=(
        "recipe.data",
        "start",
    ),
    writes=("out",),
):
    """Train a network of the zoo. `start`: a MODEL whose weights it begins with (None: fresh
    ones). `devices` is where it is trained. `resume` insists on an interrupted run to go on with, and
    `overwrite` gives up one of another recipe; `command` is how it was asked for."""

    arch: str
    recipe: Recipe
    out: str
    start: str | None = None
    devices: Devices = ONE
    resume: bool = False
    command: str = ""
    overwrite: bool = False


def check_recipe_data(recipe: Recipe) -> None:
    """For a network that is made for the data. Raises DataError where this is wrong or asks for more than it
    can need."""
    check_training_data(recipe.data, recipe.batch_size, recipe.input_shape, fresh=True)


def fitted_to_data(model: ModelRequest, recipe: Recipe) -> ModelRequest:
    """How to open the model that is trained on the recipe's data. Raises as `check_recipe_data`."""
    shapes = check_training_data(recipe.data, recipe.batch_size, recipe.input_shape, fresh=False)
    return replace(model, data_shape=shapes.get(recipe.data))


def training_grant(recipe: Recipe, out: str, *models: ModelRequest) -> Grant:
    """For a worker that trains: it opens `models` and the teacher, reads the data, and writes the checkpoint
    folder of `out` (`unfinished.training_run`). Raises as `check_source`."""
    teacher = recipe.teacher_request()
    grants = map(grant_of, (*models, *(() if teacher is None else (teacher,))))
    written = Grant(writes=(str(checkpoint_folder(Path(out)).absolute()),))
    return reduce(or_, grants, written | training_data_grant(recipe.data))


def check_keras_output(out: Path, *, overwrite: bool, resume: bool) -> None:
    """Fail before hours of training, not after. Raises UsageError or OutputError."""
    if out.suffix != ".keras":
        raise UsageError(f"--out {out} must end in .keras")
    parent = out.parent
    if not parent.is_dir():
        raise OutputError(f"the folder {parent} does not exist: make it first")
    if not os.access(parent, os.W_OK):
        raise OutputError(f"the folder {parent} is not writable: choose another --out")
    check_file("--out", out, overwrite)
    beside = sidecar_path(out)
    if beside.exists() and not _is_sidecar(beside):
        raise OutputError(
            f"{beside}, where the sidecar of {out.name} goes, is not ours: move it or name another --out"
        )
    if beside.exists() and not overwrite:
        raise OutputError(f"--out {out}: {beside} exists: give --overwrite to replace it, or name another")
    check_unfinished(out, resume)


def _is_sidecar(path: Path) -> bool:
    try:
        return isinstance(read_json(path, dict[str, Any], "sidecar", "move it").get("steps"), list)
    except DataError:
        return False


def check_not_the_model(out: Path, source: str) -> None:
    """The model that a run begins with stays as it is. Raises UsageError."""
    if out.resolve() == Path(source).resolve():
        raise UsageError(f"--out {out} is the model itself, which is never written to: choose another name")
