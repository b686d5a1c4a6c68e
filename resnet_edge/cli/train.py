"""`resnet-edge train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from resnet_edge import zoo
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._training_options import input_shape_option, recipe_of, training_options
from resnet_edge.cli.terminal import command_line, output_options, print_json, progress, say


@click.command("train")
@click.option(
    "--arch",
    required=True,
    type=click.Choice(list(zoo.architectures())),
    metavar="NAME",
    help="A network of the zoo.",
)
@click.option("--start", metavar="MODEL", help="Begin with the weights of this model, not with fresh ones.")
@training_options(epochs=30, learning_rate=0.1, warmup_epochs=2.0)
@input_shape_option
@output_options
def command(
    arch: str,
    start: str | None,
    out: Path,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train a ResNet of the zoo.

    Writes FILE.keras, which takes raw pixels (0 to 255), and FILE.json with the recipe, the
    history and the class names. An interrupted run leaves FILE.keras.checkpoint; the same
    command goes on with it.
    """
    from resnet_edge.models import ModelRequest, check_source
    from resnet_edge.training.recipe import (
        Train,
        check_keras_output,
        check_not_the_model,
        training_grant,
    )
    from resnet_edge.training.unfinished import left_behind, training_run
    from resnet_edge.workers.process import WorkerProcess, log_folder

    if start is not None:
        check_not_the_model(out, start)
        check_source(ModelRequest(start))
    check_keras_output(out, overwrite=overwrite, resume=resume)
    request = Train(
        arch=arch,
        recipe=recipe_of(options),
        out=str(out),
        start=start,
        resume=resume,
        command=command_line(),
        overwrite=overwrite,
    )
    started = () if start is None else (ModelRequest(start),)
    grant = training_grant(request.recipe, request.out, *started, fresh=True)
    with telling(out, lambda: left_behind(out)):
        with (
            training_run(out),
            progress(quiet) as report,
            log_folder() as logs,
            WorkerProcess("training", logs / "train.log", grant=grant) as worker,
        ):
            result = worker.run(request, report)
        if as_json:
            print_json(result)
        elif not quiet:
            say(result.sentence())
