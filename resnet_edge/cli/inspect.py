"""`resnet-edge inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge.cli._options import given
from resnet_edge.cli.terminal import output_options, print_json, progress, say


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--data",
    metavar="DATA",
    help="Photos of any size: how much do answers change where a platform resizes in another way?",
)
@click.option(
    "--resize",
    metavar="NAME|FILE",
    help="How photos were resized for training: a name, or a JSON file.  [default: pillow]",
)
@output_options
def command(file: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Show what is in a model file, and what apps may trip over.

    FILE is a .tflite, .onnx or .ort file: its inputs and outputs, operations and the precision that each
    computes in, constants, and metadata. With --data it also runs the file on your photos, resized as in
    training and as MediaPipe, Android and others do, and warns where answers change. Exits with 3 where the
    file cannot be read.
    """
    from resnet_edge.api.inspect import inspect
    from resnet_edge.cli._inspect import print_inspection
    from resnet_edge.cli._resize_table import print_resize

    with progress(quiet) as report:
        inspection = inspect(file, **given("file"), on_progress=report)
    if as_json:
        print_json(inspection.to_dict())
    elif not quiet:
        print_inspection(inspection)
        if inspection.resize is not None:
            say()
            print_resize(inspection.resize)
