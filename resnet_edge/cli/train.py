"""`resnet-edge train`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge import zoo
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import given
from resnet_edge.cli._training_options import input_shape_option, training_options
from resnet_edge.cli.terminal import command_line, output_options, print_json, progress, say, say_note


@click.command("train")
@click.option(
    "--arch",
    required=True,
    type=click.Choice(list(zoo.architectures()), case_sensitive=False),
    metavar="NAME",
    help="A network of the zoo: " + ", ".join(zoo.architectures()) + ".",
)
@click.option("--start", metavar="MODEL", help="Begin with the weights of this model, not with fresh ones.")
@training_options(epochs=30, learning_rate=0.1, warmup_epochs=2.0)
@input_shape_option
@output_options
def command(out: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Train a ResNet of the zoo.

    Writes FILE.keras, which takes raw pixels (0 to 255), and FILE.json with the recipe, the
    history and the class names. An interrupted run leaves FILE.keras.checkpoint; the same
    command goes on with it.
    """
    from resnet_edge.api.train import train
    from resnet_edge.training.unfinished import left_behind

    with telling(out, lambda: left_behind(out)):
        with progress(quiet) as report:
            result = train(**given(), on_progress=report, command=command_line())
        if as_json:
            print_json(result)
        elif not quiet:
            say(result.sentence())
            for note in result.notes:
                say_note(note)
