"""`resnet-edge prune`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge.api.checked import AtLeast0, RealPart
from resnet_edge.cli._channel_options import channel_options
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import (
    INPUT_SHAPE_HELP,
    given,
    head_option,
    output_name_option,
    shape,
    value_type,
)
from resnet_edge.cli._training_options import training_options
from resnet_edge.cli.terminal import command_line, output_options, print_json, progress
from resnet_edge.compression.magnitude_task import Schedule
from resnet_edge.compression.pruning import Method


@click.command("prune")
@click.argument("model")
@click.option(
    "--method",
    required=True,
    type=value_type(Method),
    help="magnitude: zeros, a smaller download. channel: fewer channels, a faster network.",
)
@click.option(
    "--amount",
    default=0.5,
    show_default=True,
    type=value_type(RealPart),
    help="The share that goes: of the weights (magnitude), of the MACs (channel).",
)
@click.option(
    "--exclude",
    metavar="NAME,…",
    help="Layers, by name or glob, that stay as they are; or 'none'. "
    "[default: magnitude: the first convolution; channel: none]",
)
@click.option(
    "--schedule",
    default="polynomial",
    show_default=True,
    type=value_type(Schedule),
    help="magnitude: towards the amount step by step, or at once.",
)
@channel_options
@training_options(epochs=20, learning_rate=0.02, warmup_epochs=1.0, epochs_type=AtLeast0)
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="What the model wants of raw pixels, as for convert. [default: read from the model]",
)
@click.option("--input-shape", callback=shape, metavar="H,W,C", help=INPUT_SHAPE_HELP)
@output_name_option
@head_option
@output_options
def command(model: str, out: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Prune MODEL, fine-tune it, and measure it before and after.

    Writes FILE.keras, which `convert` takes, and FILE.json with what was done. MODEL is not
    touched. An interrupted run leaves FILE.keras.checkpoint; the same command goes on with it.
    """
    from resnet_edge.api.prune import prune
    from resnet_edge.cli._compressed import print_compressed
    from resnet_edge.training.unfinished import left_behind

    with telling(out, lambda: left_behind(out)):
        with progress(quiet) as report:
            result = prune(model, **given("model"), on_progress=report, command=command_line())
        if as_json:
            print_json(result)
        elif not quiet:
            print_compressed(result)
