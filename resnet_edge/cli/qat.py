"""`resnet-edge qat`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge.cli._compressed import print_compressed
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import (
    INPUT_SHAPE_HELP,
    dense_scales_option,
    given,
    head_option,
    output_name_option,
    shape,
)
from resnet_edge.cli._training_options import training_options
from resnet_edge.cli.terminal import command_line, output_options, print_json, progress
from resnet_edge.compression.qat_task import RATE, SHARE, QatPrecision


@click.command("qat")
@click.argument("model")
@click.option("--preprocess", metavar="NAME|FILE", help="As in `convert`, where MODEL does not say.")
@click.option("--input-shape", callback=shape, metavar="H,W,C", help=INPUT_SHAPE_HELP)
@output_name_option
@head_option
@dense_scales_option("int8 scales of a dense layer's weights to train with; give `convert` the same.")
@training_options(
    epochs=5,
    learning_rate=None,
    warmup_epochs=0.0,
    weight_decay=1e-4,
    precision=QatPrecision,
    rate_help=f" [default: {SHARE:g} times that of the training before, as the .json beside MODEL says, "
    f"else {RATE:g}]",
)
@output_options
def command(model: str, out: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Fine-tune MODEL so that it loses least in int8.

    The network is trained with the rounding of int8 in it, by tensorflow-model-optimization.
    Writes FILE.keras, an ordinary Keras model with the activation ranges that it learned, which
    `resnet-edge convert FILE.keras` gives to the int8 files; and FILE.json. MODEL is not touched.
    An interrupted run leaves FILE.keras.checkpoint; the same command goes on with it.
    """
    from resnet_edge.api.qat import qat
    from resnet_edge.training.unfinished import left_behind

    with telling(out, lambda: left_behind(out)):
        with progress(quiet) as report:
            result = qat(model, **given("model"), on_progress=report, command=command_line())
        if as_json:
            print_json(result)
        elif not quiet:
            print_compressed(result)
