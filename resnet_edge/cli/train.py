"""`resnet-edge train`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge import zoo
from resnet_edge.cli._options import FiniteRange, shape
from resnet_edge.cli.terminal import output_options, print_json, progress


@click.command("train")
@click.option(
    "--arch",
    required=True,
    type=click.Choice(list(zoo.architectures())),
    metavar="NAME",
    help="A network of the zoo.",
)
@click.option("--data", required=True, help="fashion-mnist[:FOLDER], a folder of class folders, or an .npz.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the .keras file goes.",
)
@click.option("--epochs", default=30, show_default=True, type=click.IntRange(1))
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(1))
@click.option(
    "--learning-rate",
    default=0.1,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="At the top of the schedule.",
)
@click.option("--warmup-epochs", default=2.0, show_default=True, type=FiniteRange(0))
@click.option("--weight-decay", default=5e-4, show_default=True, type=FiniteRange(0))
@click.option("--label-smoothing", default=0.0, show_default=True, type=FiniteRange(0, 1, max_open=True))
@click.option("--augment", default="flip,crop,erase", show_default=True, help="Comma-separated, or 'none'.")
@click.option(
    "--validation",
    default=0.05,
    show_default=True,
    type=FiniteRange(0, 0.5),
    help="Share of the training images held out.",
)
@click.option(
    "--input-shape", callback=shape, metavar="H,W,C", help="For a folder of images: resize to this."
)
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "mixed_bfloat16", "mixed_float16"]),
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--resume", is_flag=True, help="Continue an interrupted run.")
@output_options
def command(out: Path, resume: bool, as_json: bool, quiet: bool, augment: str, **options: object) -> None:
    """Train a ResNet of the zoo.

    Writes FILE.keras, which takes raw pixels (0 to 255), and FILE.json with the recipe, the
    history and the class names. An interrupted run leaves FILE.keras.checkpoint; --resume
    continues it.
    """
    from resnet_edge.core.worker import Worker, log_folder
    from resnet_edge.stages.recipe import Recipe, TrainRequest, TrainResult, check_train_output

    check_train_output(out)
    names = () if augment == "none" else tuple(augment.split(","))
    recipe = Recipe(**options, augment=names)  # type: ignore[arg-type]  # click has checked them
    request = TrainRequest(recipe, str(out), resume)
    with (
        progress(quiet) as report,
        log_folder() as logs,
        Worker("training", logs / "train.log") as worker,
    ):
        result = worker.call("resnet_edge.stages.train:train", request, TrainResult, report)
    if as_json:
        print_json(result)
    elif not quiet:
        click.echo(result.sentence())
