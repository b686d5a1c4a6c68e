"""From the options of `prune` to the request of a method, and to the stage that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from resnet_edge.cli._channel_options import NAMES, wanted
from resnet_edge.cli.terminal import command_line
from resnet_edge.core.errors import UsageError
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.training.recipe import (
    Compressed,
    Recipe,
    check_keras_output,
    check_not_the_model,
    training_grant,
)
from resnet_edge.workers.progress import OnProgress

OPTIONS_OF: dict[str, tuple[str, ...]] = {"magnitude": ("schedule",), "channel": NAMES}
"""The options that only one method has."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every method is asked for. `exclude` None: the method's own default."""

    model: ModelRequest
    amount: float
    exclude: tuple[str, ...] | None
    out: str
    resume: bool
    command: str
    overwrite: bool


def check_options(method: str) -> None:
    """Raises UsageError for an option of another method on the command line."""
    context = click.get_current_context()
    for other, names in OPTIONS_OF.items():
        for name in names:
            typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            if other != method and typed and name not in OPTIONS_OF[method]:
                option = f"--{'of' if name == 'kind' else name.replace('_', '-')}"
                raise UsageError(f"{option} belongs to --method {other}: leave it out with {method}")


def common(model: str, out: Path, options: dict[str, Any]) -> Common:
    """Take what is common to the methods out of `options`, checked before any work.

    Raises UsageError, OutputError, UnknownName, ModelError, DataError.
    """
    source = ModelRequest(model, input_shape=options.pop("input_shape"), preprocess=options.pop("preprocess"))
    check_not_the_model(out, model)
    resume, overwrite = options.pop("resume"), options.pop("overwrite")
    check_keras_output(out, overwrite=overwrite, resume=resume)
    check_source(source)
    return Common(
        model=source,
        amount=options.pop("amount"),
        exclude=options.pop("exclude"),
        out=str(out),
        resume=resume,
        command=command_line(),
        overwrite=overwrite,
    )


def pruned(
    method: str, shared: Common, recipe: Recipe, options: dict[str, Any], report: OnProgress
) -> Compressed:
    """Prune by `method`. Raises what its stage raises."""
    return _METHODS[method](shared, recipe, options, report)


def _magnitude(shared: Common, recipe: Recipe, options: dict[str, Any], report: OnProgress) -> Compressed:
    from resnet_edge.compression.magnitude_request import PruneMagnitude
    from resnet_edge.compression.tfmot_worker import tfmot_worker
    from resnet_edge.workers.process import log_folder

    if recipe.epochs == 0:
        raise UsageError("--epochs 0: magnitude pruning happens while the network trains; give 1 or more")
    if recipe.precision != "float32":
        raise UsageError(f"--precision {recipe.precision}: magnitude pruning trains in float32 only")
    request = PruneMagnitude(
        model=shared.model,
        recipe=recipe,
        amount=shared.amount,
        schedule=options["schedule"],
        exclude=shared.exclude,
        out=shared.out,
        resume=shared.resume,
        command=shared.command,
        overwrite=shared.overwrite,
    )
    grant = training_grant(recipe, shared.out, shared.model)
    with log_folder() as logs, tfmot_worker("pruning", logs / "prune.log", grant) as worker:
        return worker.run(request, report)


def _channel(shared: Common, recipe: Recipe, options: dict[str, Any], report: OnProgress) -> Compressed:
    from resnet_edge.compression.channel_request import ChannelRequest
    from resnet_edge.compression.prune_channel import prune

    request = ChannelRequest(
        model=shared.model,
        recipe=recipe,
        **wanted(shared.amount, shared.exclude, options),
        out=shared.out,
        resume=shared.resume,
        command=shared.command,
        overwrite=shared.overwrite,
    )
    return prune(request, report)


_METHODS = {"magnitude": _magnitude, "channel": _channel}
