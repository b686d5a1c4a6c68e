"""`resnet-edge verify`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge.cli._options import FiniteRange, backends_option, shape
from resnet_edge.cli.terminal import command_line, fail, output_options, print_json, progress


@click.command("verify")
@click.argument("artifacts", nargs=-1, type=click.Path(path_type=Path), metavar="ARTIFACT…")
@click.option(
    "--reference",
    metavar="MODEL",
    help="What they must agree with: a Keras model, as `convert` takes it, or a .tflite or .onnx file. "
    "[default: the model of the folder's report]",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Images: fashion-mnist, a folder, or an .npz. With labels accuracy is proved, without them "
    "agreement.",
)
@backends_option("litert,onnxruntime", "Where to run them")
@click.option(
    "--max-drop",
    default=0.5,
    show_default=True,
    type=FiniteRange(0, 100),
    metavar="PP",
    help="Largest accuracy drop, in percentage points.",
)
@click.option(
    "--images",
    type=click.IntRange(1),
    metavar="N",
    help="Use so many of the images, evenly from all classes. [default: all]",
)
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="What the Keras model wants of raw pixels, as for `convert`. [default: read from the model]",
)
@click.option(
    "--feed",
    default="pixels",
    show_default=True,
    type=click.Choice(["pixels", "preprocessed"]),
    help="What the artifacts take: raw pixels, or what the Keras model takes.",
)
@click.option(
    "--input-shape", callback=shape, metavar="H,W,C", help="For a model that does not know its own."
)
@click.option("--trust", is_flag=True, help="Open a SavedModel, which is a program that can do anything.")
@click.option(
    "--explain/--no-explain",
    default=True,
    help="Compare weights, and where an artifact fails its layers, and name what is wrong. "
    "[default: --explain]",
)
@output_options
def command(artifacts: tuple[Path, ...], as_json: bool, quiet: bool, **options: object) -> None:
    """Hold artifacts, ours or another's, against the model that they were made from.

    ARTIFACT is a .tflite or .onnx file, whoever wrote it, a Keras model, or a folder that `convert` wrote.
    A run that was ended goes on where it stopped when it is started again.

    Exit code 0: everything was proved; 4: an artifact failed; 5: more images are needed to tell; 3: something
    could not be done.
    """
    from resnet_edge.cli._convert import exit_code
    from resnet_edge.cli._verify import print_verification, request_of, temporary
    from resnet_edge.report.verification import verification_document
    from resnet_edge.stages.verify import verify

    request = request_of(artifacts, command_line(), **options)  # type: ignore[arg-type]  # click checked
    with temporary() as (scratch, logs), progress(quiet) as report:
        found = verify(request, scratch, logs, report)
    if as_json:
        print_json(verification_document(found))
    elif not quiet:
        print_verification(found)
    if found.failures:
        first, more = found.failures[0], len(found.failures) - 1
        fail(f"{first.what}: {first.message}" + (f" (and {more} more)" if more else ""))
    elif (as_json or quiet) and not found.passed:
        row = next(row for row in found.parity if row.verdict != "pass")
        fail(f"{row.artifact} on {row.backend} {row.device}: {row.reasons[0]}")
    click.get_current_context().exit(exit_code(found))
