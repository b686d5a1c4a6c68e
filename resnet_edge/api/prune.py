"""`resnet_edge.prune`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resnet_edge.api.checked import (
    AtLeast0,
    AtLeast1,
    NotNegative,
    PartBelowOne,
    PartOfAll,
    Positive,
    RealPart,
    Shape,
    UpToHalf,
    checked,
)
from resnet_edge.api.names import Augmentations, Backend, DeviceCount, Layers, Scheme, backend, layers, scheme
from resnet_edge.api.recipes import recipe
from resnet_edge.api.reports import CompressionReport, extended
from resnet_edge.api.values import Data, Model, or_else, text, value_files
from resnet_edge.compression.channel_task import ChannelRequest
from resnet_edge.compression.magnitude_task import PruneMagnitude, Schedule
from resnet_edge.compression.prune_channel import prune as prune_channels
from resnet_edge.compression.pruning import ImportanceName, Kind, Method, PruningTarget, Rules, Scope
from resnet_edge.compression.step_latency import TimedAs
from resnet_edge.compression.tfmot_worker import WHY_ONE_MACHINE, tfmot_worker
from resnet_edge.core.errors import UsageError
from resnet_edge.core.head import HeadKind
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.training.devices import (
    Devices,
    check_one_machine,
    devices_of,
    output_of,
    written_note,
)
from resnet_edge.training.peers import Peers, together
from resnet_edge.training.recipe import (
    Compressed,
    Precision,
    Recipe,
    check_keras_output,
    check_not_the_model,
    fitted_to_data,
    training_grant,
)
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.process import log_folder
from resnet_edge.workers.progress import STARTING, OnProgress, from_the_start, silent
from resnet_edge.workers.variables import check_variables

AMOUNT = 0.5


@checked
def prune(
    model: Model,
    *,
    method: Method,
    data: Data,
    out: str | Path,
    amount: RealPart | None = None,
    exclude: Layers | None = None,
    schedule: Schedule | None = None,
    of: Kind | None = None,
    target_latency: RealPart | None = None,
    backend: Backend | None = None,
    scheme: Scheme | None = None,
    threads: AtLeast1 | None = None,
    importance: ImportanceName | None = None,
    multiple: AtLeast1 | None = None,
    scope: Scope | None = None,
    blocks: bool | None = None,
    remove_blocks: AtLeast1 | None = None,
    sparse_epochs: AtLeast0 | None = None,
    sparsity: Positive | None = None,
    epochs: AtLeast0 = 20,
    batch_size: AtLeast1 = 128,
    learning_rate: Positive = 0.02,
    warmup_epochs: NotNegative = 1.0,
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
    preprocess: str | Path | None = None,
    input_shape: Shape | None = None,
    output: str | None = None,
    head: HeadKind | None = None,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.prune(…)",
) -> CompressionReport:
    """Prune a model, fine-tune what is left, measure it before and after, and write it to `out` (.keras).

    `model` and `teacher` are a keras.Model or a MODEL of the command line, `data` a DATA word or (images,
    labels). An option of None has the default that `resnet-edge prune --help` tells. Raises UsageError,
    DataError, ModelError, OutOfReach, OutputError, MissingDependency, DeviceUnavailable, PeerLost,
    WorkerFailed.
    """
    check_variables()
    channel = {
        "of": of,
        "target_latency": target_latency,
        "backend": backend,
        "scheme": scheme,
        "threads": threads,
        "importance": importance,
        "multiple": multiple,
        "scope": scope,
        "blocks": blocks,
        "remove_blocks": remove_blocks,
        "sparse_epochs": sparse_epochs,
        "sparsity": sparsity,
    }
    _check_method(method, {"magnitude": {"schedule": schedule}, "channel": channel})
    place = devices_of(devices, coordinator, processes, process_index)
    if method == "magnitude":
        check_one_machine(place, "--method magnitude", WHY_ONE_MACHINE)
    with value_files() as files, output_of(place, Path(out)) as path:
        source = ModelRequest(
            files.model(model),
            input_shape=input_shape,
            preprocess=text(preprocess),
            output=output,
            head=head,
        )
        check_not_the_model(path, source.source)
        check_keras_output(path, overwrite=overwrite, resume=resume and place.index == 0)
        check_source(source)
        options = _PruneOptions(
            model=source,
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
            ),
            amount=amount,
            exclude=None if exclude is None else layers(exclude),
            out=str(path),
            devices=place,
            resume=resume and place.index == 0,
            command=command,
            overwrite=overwrite,
        )
        with together(place, "prune", files.progress(on_progress)) as peers, training_run(path):
            report = from_the_start(files.progress(on_progress), STARTING)
            if method == "magnitude":
                compressed = _magnitude(options, or_else(schedule, "polynomial"), report)
            else:
                compressed = _channels(options, channel, peers, report)
        compressed = replace(compressed, file=str(out), notes=(*written_note(place), *compressed.notes))
        return extended(CompressionReport, files.named(compressed))


@dataclass(frozen=True, kw_only=True)
class _PruneOptions:
    """What both methods are asked for. `amount` and `exclude` None: the method's own default."""

    model: ModelRequest
    recipe: Recipe
    amount: float | None
    exclude: tuple[str, ...] | None
    out: str
    devices: Devices
    resume: bool
    command: str
    overwrite: bool


def _check_method(method: str, options: dict[str, dict[str, Any]]) -> None:
    """Raises UsageError for an option of another method."""
    for other, values in options.items():
        for name, value in values.items():
            if other != method and value is not None:
                option = name.replace("_", "-")
                raise UsageError(f"--{option} belongs to --method {other}: leave it out with {method}")


def _magnitude(options: _PruneOptions, schedule: Schedule, on_progress: OnProgress) -> Compressed:
    if options.recipe.epochs == 0:
        raise UsageError("--epochs 0: magnitude pruning happens while the network trains; give 1 or more")
    if options.recipe.precision != "float32":
        raise UsageError(f"--precision {options.recipe.precision}: magnitude pruning trains in float32 only")
    task = PruneMagnitude(
        model=options.model,
        recipe=options.recipe,
        amount=or_else(options.amount, AMOUNT),
        schedule=schedule,
        exclude=options.exclude,
        out=options.out,
        devices=options.devices,
        resume=options.resume,
        command=options.command,
        overwrite=options.overwrite,
    )
    task = replace(task, model=fitted_to_data(options.model, options.recipe))
    grant = training_grant(options.recipe, options.out, options.model)
    with log_folder() as logs, tfmot_worker("pruning", logs / "prune.log", grant) as worker:
        return worker.run(task, on_progress)


def _channels(
    options: _PruneOptions, given: dict[str, Any], peers: Peers, on_progress: OnProgress
) -> Compressed:
    def option(name: str, default: Any) -> Any:
        return or_else(given[name], default)

    latency, count, blocks = given["target_latency"], given["remove_blocks"], given["blocks"]
    amounts = [
        f"--{name}" for name, value in (("amount", options.amount), ("of", given["of"])) if value is not None
    ]
    _check_channels(given, amounts)
    if blocks is None:
        blocks = latency is not None or count is not None
    by_amount = latency is None and not (count is not None and not amounts)
    target = PruningTarget(option("of", "macs"), 1 - or_else(options.amount, AMOUNT)) if by_amount else None
    place, _, device = backend(option("backend", "litert:cpu")).partition(":")
    _check_fine_tuned(options.recipe, option("sparse_epochs", 0))
    request = ChannelRequest(
        model=options.model,
        recipe=options.recipe,
        target=target,
        target_latency=latency,
        timed=TimedAs(
            backend=place,
            device=device or "cpu",
            scheme=scheme(option("scheme", "int8")),
            threads=option("threads", 1),
        ),
        rules=Rules(
            multiple=option("multiple", 8),
            exclude=options.exclude or (),
            scope=option("scope", "all"),
            blocks=blocks,
        ),
        remove_blocks=count,
        importance=option("importance", "norm"),
        sparse_epochs=option("sparse_epochs", 0),
        sparsity=option("sparsity", 1e-4),
        out=options.out,
        devices=options.devices,
        resume=options.resume,
        command=options.command,
        overwrite=options.overwrite,
    )
    return prune_channels(request, peers, on_progress)


def _check_channels(given: dict[str, Any], amounts: list[str]) -> None:
    """Raises UsageError for options that say the opposite, or nothing."""
    if given["target_latency"] is not None and amounts:
        raise UsageError(f"{amounts[0]} and --target-latency both say how much goes: give one of them")
    if given["sparsity"] is not None and not given["sparse_epochs"]:
        raise UsageError("--sparsity is the strength of --sparse-epochs: give both")
    if given["remove_blocks"] is not None and given["blocks"] is False:
        raise UsageError("--remove-blocks and --no-blocks say the opposite: give one of them")
    if given["remove_blocks"] is not None and given["target_latency"] is None and not amounts:
        for name in ("multiple", "scope", "importance"):
            if given[name] is not None:
                raise UsageError(
                    f"--{name} applies to channels, and --remove-blocks alone removes none: add --amount, or "
                    "leave it out"
                )


def _check_fine_tuned(recipe: Recipe, sparse_epochs: int) -> None:
    """Raises UsageError for options of a training where nothing is trained."""
    if recipe.epochs or sparse_epochs:
        return
    defaults = inspect.signature(prune).parameters
    for name in ("learning_rate", "warmup_epochs", "weight_decay", "augment", "precision", "teacher"):
        if getattr(recipe, name) != defaults[name].default:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} applies to fine-tuning, and --epochs 0 does none: leave one of them out"
            )
