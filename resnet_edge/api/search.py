"""`resnet_edge.search`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from resnet_edge.api.checked import AtLeast0, AtLeast1, Percentage, Positive, Shape, ValueRule, checked
from resnet_edge.api.names import Cluster, Words, check_on_cluster, words
from resnet_edge.api.names import backend as backend_in
from resnet_edge.api.reports import SearchReport, extended
from resnet_edge.api.source_paths import read_paths, seen_from
from resnet_edge.api.values import Data, Model, or_else, text, value_files
from resnet_edge.core.errors import MissingDependency, UsageError
from resnet_edge.core.files.bundled import DATA
from resnet_edge.core.files.overwrite import check_new_folder
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.head import HeadKind
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.packages import missing_package
from resnet_edge.core.quantities import bytes_of, seconds_of
from resnet_edge.core.results.search import SPACE
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.report import write_frontier
from resnet_edge.report.whole_file import check_writable
from resnet_edge.searching.request import SearchLimits, SearchRequest, Training
from resnet_edge.searching.space import CHOICES, NATIVE, Space
from resnet_edge.searching.space_file import (
    PURPOSE,
    SpaceFile,
    chosen,
    objectives_of,
    read_space,
    space_text,
    unused,
)
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables

OBJECTIVES = ("accuracy", "latency", "size")
BATCH_SIZE, LEARNING_RATE = 128, 0.02
MAX_DROP_PP = 5.0
"""Percentage points: what is worse than that is nobody's choice, and costs no time."""


def _objectives(value: Words) -> tuple[Any, ...]:
    return objectives_of(words(value))


def _milliseconds(value: str) -> float:
    return 1000 * seconds_of(value, example="3ms", unit="")


def _bytes(value: int | str) -> int:
    return bytes_of(str(value))


def _budget(value: float | str) -> float:
    return seconds_of(str(value), example="90s or 2h")


Objectives: TypeAlias = Annotated[Words, ValueRule(_objectives)]
Latency_: TypeAlias = Annotated[str, ValueRule(_milliseconds)]
Bytes: TypeAlias = Annotated[int | str, ValueRule(_bytes)]
Budget: TypeAlias = Annotated[float | str, ValueRule(_budget)]
AnyBackend: TypeAlias = Annotated[str, ValueRule(backend_in)]
Choose: TypeAlias = Annotated[Mapping[str, Any] | str | Iterable[str], ValueRule(chosen)]


@checked
def search(
    model: Model,
    *,
    data: Data,
    out: str | Path = "frontier",
    overwrite: bool = False,
    objectives: Objectives | None = None,
    backend: AnyBackend = "litert",
    trials: AtLeast1 = 50,
    budget: Budget | None = None,
    study: str | Path | None = None,
    train: Data | None = None,
    calibration: Data | None = None,
    max_drop: Percentage | None = None,
    max_latency: Latency_ | None = None,
    max_size: Bytes | None = None,
    max_download: Bytes | None = None,
    space: str | Path | None = None,
    choose: Choose | None = None,
    equal_within: Percentage = 0.5,
    equal_latency: Percentage = 5.0,
    threads: AtLeast1 = 1,
    batch_size: AtLeast1 = BATCH_SIZE,
    learning_rate: Positive = LEARNING_RATE,
    seed: AtLeast0 = 0,
    preprocess: str | Path | None = None,
    input_shape: Shape | None = None,
    output: str | None = None,
    head: HeadKind | None = None,
    accept_reference: bool = False,
    trust: bool = False,
    cluster: Cluster | None = None,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.search(…)",
) -> SearchReport:
    """Search how small and fast a model can get for how much accuracy, and write the frontier to `out`.

    `model` is a keras.Model or a MODEL of the command line; `data`, `train` and `calibration` are a DATA word
    or (images, labels): `data` chooses and proves, `train` fine-tunes what is pruned. `max_latency` is a text
    with its unit ("3ms"), sizes are bytes or texts ("1MB"), `budget` seconds or a text ("2h"). `choose` names
    the values of choices, {"scheme": ["int8"]}, and `space` a TOML file of them. None: the default that
    `resnet-edge search --help` tells.

    Raises UsageError, UnknownName, ModelError, DataError, OutOfReach (nothing meets the limits; the nearest
    is named), OutputError, MissingDependency, DeviceUnavailable, HostUnavailable, ClusterUnavailable,
    WorkerFailed.
    """
    from resnet_edge.searching.search import search as run

    check_variables()
    where = backend_in(backend)
    check_on_cluster(cluster, (where,))
    _check_threads(threads)
    file = SpaceFile() if space is None else read_space(Path(space))
    named = {**file.space, **({} if choose is None else chosen(choose))}
    journal = _study(Path(out), study)
    with value_files() as files:
        source, images = files.model(model), files.data(data)
        training = files.data(train, "train")
        if training is None and str(images).partition(":")[0] == DATA:
            training = images  # its own training images; the others choose and prove
        calibrating = files.data(calibration, "calibration")
        searched, notes = _space(named, trains=training is not None)
        _check_trains(searched, train=train, batch_size=batch_size, learning_rate=learning_rate)
        limits = _limits(file, max_drop, max_latency, max_size, max_download)
        read = read_paths(source, images, training, calibrating, space, preprocess, journal)
        inputs = seen_from(Path(out), model=model, data=data, calibration=calibration, train=train)
        inputs |= {} if output is None else {"output": output}
        inputs |= {} if input_shape is None else {"input_shape": ",".join(map(str, input_shape))}
        place = Workspace(Path(out), writer="search", overwrite=overwrite, inputs=read)
        request = SearchRequest(
            model=ModelRequest(source, trust, input_shape, text(preprocess), output=output, head=head),
            data=str(images),
            calibration=calibrating,
            training=None
            if training is None
            else Training(data=training, batch_size=batch_size, learning_rate=learning_rate, seed=seed),
            objectives=_chosen_objectives(file, objectives),
            backend=where,
            limits=limits,
            space=searched,
            trials=trials,
            budget_seconds=None if budget is None else _budget(budget),
            study=str(journal),
            seed=seed,
            threads=threads,
            equal_within_pp=equal_within,
            equal_within_latency=equal_latency / 100,
            accept_reference=accept_reference,
            cluster=cluster,
            command=command,
            source_name=files.name_of(model),
        )
        check_source(request.model)
        if find_spec("optuna") is None:
            raise MissingDependency(missing_package("optuna") or "optuna is not installed")
        with place as workspace:
            result = files.named(run(request, workspace, files.progress(on_progress)))
            result = replace(
                result,
                inputs=inputs,
                notes=(*notes, *result.notes),
                study=seen_from(Path(out), study=journal).get("study", str(journal)),
            )
            workspace.write(SPACE, space_text(result.space, result.objectives, result.limits))
            write_frontier(result, workspace.folder)
            folder = workspace.publish()
    return extended(SearchReport, result, folder=folder)


def _study(out: Path, study: str | Path | None) -> Path:
    """The journal of the trials. Raises OutputError where it cannot be written."""
    check_new_folder(out)
    journal = out.with_name(f"{out.name}.study") if study is None else Path(study)
    check_writable("--study", journal, overwrite=True)  # a search goes on with what is there
    return journal


def _check_threads(threads: int) -> None:
    if threads > usable_cores():
        raise UsageError(
            f"--threads {threads}: this process may use {usable_cores()} cores; ask for at most that"
        )


def _chosen_objectives(file: SpaceFile, objectives: Words | None) -> tuple[Any, ...]:
    return _objectives(objectives) if objectives is not None else or_else(file.objectives, OBJECTIVES)


def _limits(
    file: SpaceFile,
    max_drop: float | None,
    max_latency: str | None,
    max_size: int | str | None,
    max_download: int | str | None,
) -> SearchLimits:
    """The options, else what the file says."""
    known = file.limits

    def bytes_at_most(name: str, value: int | str | None) -> int | None:
        return _bytes(value) if value is not None else int(known[name]) if name in known else None

    return SearchLimits(
        max_drop_pp=or_else(max_drop, known.get("max_drop_pp", MAX_DROP_PP)),
        max_latency_ms=known.get("max_latency_ms") if max_latency is None else _milliseconds(max_latency),
        max_size=bytes_at_most("max_size", max_size),
        max_download=bytes_at_most("max_download", max_download),
    )


def _space(named: Mapping[str, tuple[Any, ...]], *, trains: bool) -> tuple[Space, tuple[str, ...]]:
    """The values of all choices, and what has to be said of those that nobody named. Raises UsageError for
    one that was named and that nothing can use."""
    values = {name: named.get(name, getattr(Space(), name)) for name in CHOICES}
    notes: tuple[str, ...] = ()
    if not trains:
        _check_untrained(named)
        left = () if "pruning" in named else ("none",)
        if left:
            values["pruning"] = left
            notes = ("no pruned network was tried: they are fine-tuned on training images, named by --train",)
        values = {**values, "epochs": (0,), "qat_epochs": (0,)}
    space = Space(**values)
    for name in unused(space):
        if name in named and named[name] != (getattr(NATIVE, name),):
            raise UsageError(
                f"{name} is for {PURPOSE[name]}, or leave {name} out: no configuration of this search uses it"
            )
    return space, notes


def _check_trains(space: Space, *, train: Data | None, batch_size: int, learning_rate: float) -> None:
    """Raises UsageError for options of a training where nothing is trained."""
    if any(space.qat_epochs) or (any(space.epochs) and "epochs" not in unused(space)):
        return
    for option, named in (
        ("--train", train is not None),
        ("--batch-size", batch_size != BATCH_SIZE),
        ("--learning-rate", learning_rate != LEARNING_RATE),
    ):
        if named:
            raise UsageError(
                f"{option} is for fine-tuning, and this search does none: leave it out, or choose pruning"
            )


def _check_untrained(named: Mapping[str, tuple[Any, ...]]) -> None:
    """Raises UsageError for a choice that needs training images."""
    for name in ("pruning", "epochs", "qat_epochs"):
        learned = [value for value in named.get(name, ()) if value != getattr(NATIVE, name)]
        if learned:
            raise UsageError(
                f"{name}={learned[0]} trains, and no images to train on are named: add --train DATA, or "
                f"choose {name}={getattr(NATIVE, name)}"
            )
