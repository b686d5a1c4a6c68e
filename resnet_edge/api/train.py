"""`resnet_edge.train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_edge import zoo
from resnet_edge.api.checked import (
    AtLeast0,
    AtLeast1,
    NotNegative,
    PartBelowOne,
    PartOfAll,
    Positive,
    Shape,
    UpToHalf,
    checked,
)
from resnet_edge.api.names import Augmentations, DeviceCount
from resnet_edge.api.recipes import recipe
from resnet_edge.api.reports import TrainReport, extended
from resnet_edge.api.values import Data, Model, value_files
from resnet_edge.core.choices import choose
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.training.devices import (
    devices_environment,
    devices_grant,
    devices_of,
    output_of,
    written_note,
)
from resnet_edge.training.peers import together
from resnet_edge.training.recipe import (
    Precision,
    Train,
    check_keras_output,
    check_not_the_model,
    check_recipe_data,
    training_grant,
)
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.process import WorkerProcess, log_folder
from resnet_edge.workers.progress import STARTING, OnProgress, from_the_start, silent
from resnet_edge.workers.variables import check_variables


@checked
def train(
    *,
    arch: str,
    data: Data,
    out: str | Path,
    start: Model | None = None,
    epochs: AtLeast1 = 30,
    batch_size: AtLeast1 = 128,
    learning_rate: Positive = 0.1,
    warmup_epochs: NotNegative = 2.0,
    weight_decay: NotNegative = 5e-4,
    label_smoothing: PartBelowOne = 0.0,
    augment: Augmentations = ("flip", "crop", "erase"),
    validation: UpToHalf = 0.05,
    precision: Precision = "float32",
    teacher: Model | None = None,
    teacher_preprocess: str | Path | None = None,
    teacher_output: str | None = None,
    teacher_weight: PartOfAll | None = None,
    temperature: Positive | None = None,
    seed: AtLeast0 = 0,
    devices: DeviceCount = 1,
    coordinator: str | None = None,
    processes: AtLeast1 = 1,
    process_index: AtLeast0 = 0,
    resume: bool = False,
    overwrite: bool = False,
    input_shape: Shape | None = None,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.train(…)",
) -> TrainReport:
    """Train a ResNet of the zoo and write it to `out` (.keras), with a sidecar.

    `data` is a DATA word or (images, labels); `start` and `teacher` are a MODEL or a keras.Model. All else is
    as `resnet-edge train --help` says. An interrupted run goes on when it is called again. Keras
    computes with JAX where KERAS_BACKEND is jax, and on several devices. Raises UsageError,
    UnknownName, DataError, ModelError, OutputError, MissingDependency, DeviceUnavailable, PeerLost,
    WorkerFailed.
    """
    check_variables()
    arch = choose("network", arch, zoo.architectures())
    place = devices_of(devices, coordinator, processes, process_index)
    with value_files() as files, output_of(place, Path(out)) as path:
        begun = None if start is None else files.model(start)
        if begun is not None:
            check_not_the_model(path, begun)
            check_source(ModelRequest(begun))
        check_keras_output(path, overwrite=overwrite, resume=resume and place.index == 0)
        task = Train(
            arch=arch,
            recipe=recipe(
                files,
                data=data,
                epochs=epochs,
                batch_size=batch_size,
                learning_rate=learning_rate,
                warmup_epochs=warmup_epochs,
                weight_decay=weight_decay,
                label_smoothing=label_smoothing,
                augment=augment,
                validation=validation,
                precision=precision,
                teacher=teacher,
                teacher_preprocess=teacher_preprocess,
                teacher_output=teacher_output,
                teacher_weight=teacher_weight,
                temperature=temperature,
                seed=seed,
                input_shape=input_shape,
            ),
            out=str(path),
            start=begun,
            devices=place,
            resume=resume and place.index == 0,
            command=command,
            overwrite=overwrite,
        )
        started = () if begun is None else (ModelRequest(begun),)
        check_recipe_data(task.recipe)
        grant = training_grant(task.recipe, task.out, *started) | devices_grant(place)
        with (
            together(place, "train", files.progress(on_progress)) as peers,
            training_run(path),
            log_folder() as logs,
            WorkerProcess("training", logs / "train.log", devices_environment(place), grant) as worker,
        ):
            peers.watch(worker.close)
            result = worker.run(task, from_the_start(files.progress(on_progress), STARTING))
        result = replace(result, file=str(out), notes=(*written_note(place), *result.notes))
        return extended(TrainReport, files.named(result))
