"""`resnet-edge qat`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from resnet_edge.cli._compressed import print_compressed
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import dense_scales_option, shape
from resnet_edge.cli._training_options import recipe_of, training_options
from resnet_edge.cli.terminal import command_line, output_options, print_json, progress
from resnet_edge.core.scheme import DenseScales


@click.command("qat")
@click.argument("model")
@click.option("--preprocess", metavar="NAME|FILE", help="As in `convert`, where MODEL does not say.")
@click.option(
    "--input-shape", callback=shape, metavar="H,W,C", help="For a model that does not know its own."
)
@dense_scales_option("int8 scales of a dense layer's weights to train with; `convert` is asked for the same.")
@training_options(
    epochs=5, learning_rate=0.001, warmup_epochs=0.0, weight_decay=1e-4, precisions=("float32",)
)
@output_options
def command(
    model: str,
    preprocess: str | None,
    input_shape: tuple[int, int, int] | None,
    dense_scales: DenseScales,
    out: Path,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Fine-tune MODEL so that it loses least in int8.

    The network is trained with the rounding of int8 in it, by tensorflow-model-optimization.
    Writes FILE.keras, an ordinary Keras model with the activation ranges that it learned, which
    `resnet-edge convert FILE.keras` gives to the int8 files; and FILE.json. MODEL is not touched.
    An interrupted run leaves FILE.keras.checkpoint; the same command goes on with it.
    """
    from resnet_edge.compression.qat_request import FineTuneForInt8
    from resnet_edge.compression.tfmot_worker import tfmot_worker
    from resnet_edge.models import ModelRequest, check_source
    from resnet_edge.training.recipe import (
        check_keras_output,
        check_not_the_model,
        training_grant,
    )
    from resnet_edge.training.unfinished import left_behind, training_run
    from resnet_edge.workers.process import log_folder

    request = ModelRequest(model, input_shape=input_shape, preprocess=preprocess)
    check_not_the_model(out, model)
    check_keras_output(out, overwrite=overwrite, resume=resume)
    check_source(request)
    wanted = FineTuneForInt8(
        model=request,
        recipe=recipe_of(options),
        out=str(out),
        resume=resume,
        command=command_line(),
        overwrite=overwrite,
        dense_scales=dense_scales,
    )
    grant = training_grant(wanted.recipe, wanted.out, request)
    with telling(out, lambda: left_behind(out)):
        with (
            training_run(out),
            progress(quiet) as report,
            log_folder() as logs,
            tfmot_worker("quantization-aware training", logs / "qat.log", grant) as worker,
        ):
            result = worker.run(wanted, report)
        if as_json:
            print_json(result)
        elif not quiet:
            print_compressed(result)
