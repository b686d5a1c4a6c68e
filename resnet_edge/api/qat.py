"""`resnet_edge.qat`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
from resnet_edge.api.reports import CompressionReport, extended
from resnet_edge.api.values import Data, Model, text, value_files
from resnet_edge.compression.qat_task import RATE, FineTuneForInt8, QatPrecision
from resnet_edge.compression.tfmot_worker import WHY_ONE_MACHINE, tfmot_worker
from resnet_edge.core.head import HeadKind
from resnet_edge.core.scheme import DenseScales
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.training.devices import check_one_machine, devices_of
from resnet_edge.training.recipe import (
    check_keras_output,
    check_not_the_model,
    fitted_to_data,
    training_grant,
)
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.process import log_folder
from resnet_edge.workers.progress import STARTING, OnProgress, from_the_start, silent
from resnet_edge.workers.variables import check_variables


@checked
def qat(
    model: Model,
    *,
    data: Data,
    out: str | Path,
    preprocess: str | Path | None = None,
    input_shape: Shape | None = None,
    output: str | None = None,
    head: HeadKind | None = None,
    dense_scales: DenseScales = "per-tensor",
    epochs: AtLeast1 = 5,
    batch_size: AtLeast1 = 128,
    learning_rate: Positive | None = None,
    warmup_epochs: NotNegative = 0.0,
    weight_decay: NotNegative = 1e-4,
    label_smoothing: PartBelowOne = 0.0,
    augment: Augmentations = ("flip", "crop", "erase"),
    validation: UpToHalf = 0.05,
    precision: QatPrecision = "float32",
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
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.qat(…)",
) -> CompressionReport:
    """Fine-tune a model so that it loses least in int8, and write it to `out` (.keras), for `convert`.

    `model` and `teacher` are a keras.Model or a MODEL of the command line, `data` a DATA word or (images,
    labels). All else is as `resnet-edge qat --help` says. Raises UsageError, DataError, ModelError,
    OutputError, MissingDependency, DeviceUnavailable, WorkerFailed.
    """
    check_variables()
    place = devices_of(devices, coordinator, processes, process_index)
    check_one_machine(place, "qat", WHY_ONE_MACHINE)
    path = Path(out)
    with value_files() as files:
        source = ModelRequest(
            files.model(model),
            input_shape=input_shape,
            preprocess=text(preprocess),
            output=output,
            head=head,
        )
        check_not_the_model(path, source.source)
        check_keras_output(path, overwrite=overwrite, resume=resume)
        check_source(source)
        task = FineTuneForInt8(
            model=source,
            recipe=recipe(
                files,
                data=data,
                epochs=epochs,
                batch_size=batch_size,
                learning_rate=RATE if learning_rate is None else learning_rate,
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
            ),
            out=str(path),
            devices=place,
            resume=resume,
            command=command,
            overwrite=overwrite,
            dense_scales=dense_scales,
            default_rate=learning_rate is None,
        )
        task = replace(task, model=fitted_to_data(source, task.recipe))
        grant = training_grant(task.recipe, task.out, source)
        with (
            training_run(path),
            log_folder() as logs,
            tfmot_worker("quantization-aware training", logs / "qat.log", grant) as worker,
        ):
            return extended(
                CompressionReport,
                files.named(worker.run(task, from_the_start(files.progress(on_progress), STARTING))),
            )
