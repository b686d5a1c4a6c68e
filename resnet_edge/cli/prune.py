"""`resnet-edge prune`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from resnet_edge.cli._channel_options import channel_options
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import FiniteRange, shape
from resnet_edge.cli._training_options import recipe_of, training_options
from resnet_edge.cli.terminal import output_options, print_json, progress
from resnet_edge.compression.magnitude_request import Schedule


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return () if value == "none" else tuple(word.strip() for word in value.split(","))


@click.command("prune")
@click.argument("model")
@click.option(
    "--method",
    required=True,
    type=click.Choice(["magnitude", "channel"]),
    help="magnitude: zeros, a smaller download. channel: fewer channels, a faster network.",
)
@click.option(
    "--amount",
    default=0.5,
    show_default=True,
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    help="The share that goes: of the weights (magnitude), of the MACs (channel).",
)
@click.option(
    "--exclude",
    callback=_names,
    metavar="NAME,…",
    help="Layers, by name or glob, that stay as they are; or 'none'. "
    "[default: magnitude: the first convolution; channel: none]",
)
@click.option(
    "--schedule",
    default="polynomial",
    show_default=True,
    type=click.Choice(get_args(Schedule)),
    help="magnitude: towards the amount step by step, or at once.",
)
@channel_options
@training_options(epochs=20, learning_rate=0.02, warmup_epochs=1.0, least_epochs=0)
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="What the model wants of raw pixels, as for convert. [default: read from the model]",
)
@click.option(
    "--input-shape", callback=shape, metavar="H,W,C", help="For a model that does not know its own."
)
@output_options
def command(model: str, method: str, out: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Prune MODEL, fine-tune what is left, and measure it before and after.

    Writes FILE.keras, which `convert` takes, and FILE.json with what was done. MODEL is not
    touched. An interrupted run leaves FILE.keras.checkpoint; the same command goes on with it.
    """
    from resnet_edge.cli._compressed import print_compressed
    from resnet_edge.cli._prune import Common, check_options, common, pruned
    from resnet_edge.training.unfinished import left_behind, training_run

    check_options(method)
    shared: Common = common(model, out, options)
    recipe = recipe_of(options)
    with telling(out, lambda: left_behind(out)):
        with training_run(out), progress(quiet) as report:
            found = pruned(method, shared, recipe, options, report)
        if as_json:
            print_json(found)
        elif not quiet:
            print_compressed(found)
