"""`resnet-edge inspect`."""

from __future__ import annotations

from pathlib import Path

import click

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
def command(file: Path, data: str | None, resize: str | None, as_json: bool, quiet: bool) -> None:
    """Tell what is inside FILE, a .tflite, .onnx or .ort file, and what apps may stumble over.

    Inputs and outputs, operations and the precision that each computes in, constants, and metadata. With
    --data it also runs the file on your photos, resized as in training and as MediaPipe, Android and others
    do, and warns where answers change. Exits with 3 where the file cannot be read.
    """
    from dataclasses import asdict

    from resnet_edge.cli._inspect import print_inspection
    from resnet_edge.cli._resize_table import print_resize
    from resnet_edge.core.errors import UsageError
    from resnet_edge.inspection.inspect import check_resize, inspect
    from resnet_edge.report.resize_words import resize_document

    if resize is not None and data is None:
        raise UsageError("--resize is how the photos of --data were resized: name them with --data too")
    found = inspect(file)
    check = None
    if data is not None:
        with progress(quiet) as report:
            check = check_resize(file, found, data, resize or "pillow", report)
    if as_json:
        resized = {} if check is None else {"resize": resize_document(check)}
        print_json({**asdict(found), **resized})
    elif not quiet:
        print_inspection(found)
        if check is not None:
            say()
            print_resize(check)
