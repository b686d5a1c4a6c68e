"""`resnet-edge verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resnet_edge.api.checked import AtLeast0, AtLeast1, Percentage
from resnet_edge.cli._options import (
    INPUT_SHAPE_HELP,
    accept_reference_option,
    backends_option,
    given,
    head_option,
    junit_option,
    output_name_option,
    overwrite_option,
    refuse_without_effect,
    shape,
    thumbnails_option,
    value_type,
)
from resnet_edge.cli.terminal import command_line, fail, output_options, print_json, progress, say
from resnet_edge.verification.options import Feed

if TYPE_CHECKING:
    from resnet_edge.api.reports import VerifyReport

NOT_WITH_GOLDEN = {
    "reference", "data", "max_drop", "images", "sequential", "preprocess", "feed", "input_shape",
    "output", "head",
    "accept_reference", "trust", "explain", "calibration", "attribute", "unpruned", "html", "junit",
    "thumbnails",
    "save_golden", "golden_images", "overwrite",
}  # fmt: skip


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
    help="Images to prove on, as for `convert`. With labels accuracy is proved, without them agreement. "
    "[default: those of the folder's report]",
)
@backends_option("Where to run them", "litert for .tflite, onnxruntime for .onnx")
@click.option(
    "--max-drop",
    type=value_type(Percentage),
    metavar="PP",
    help="Largest accuracy drop, in percentage points. [default: that of the folder's report, or 0.5]",
)
@click.option(
    "--images",
    type=value_type(AtLeast1),
    metavar="N",
    help="Use so many of the images, evenly from all classes. [default: all]",
)
@click.option(
    "--sequential",
    is_flag=True,
    help="Stop each artifact once it is decided, on images in random order: fewer are run, and the "
    "intervals are wider, so that no verdict is wrong more often.",
)
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="What the Keras model wants of raw pixels, as for `convert`. [default: as the folder's report says, "
    "or read from the model]",
)
@click.option(
    "--feed",
    default="pixels",
    show_default=True,
    type=value_type(Feed),
    help="What the artifacts take: raw pixels, or what the Keras model takes.",
)
@click.option("--input-shape", callback=shape, metavar="H,W,C", help=INPUT_SHAPE_HELP)
@output_name_option
@head_option
@accept_reference_option
@click.option("--trust", is_flag=True, help="Open a SavedModel, which is a program that can do anything.")
@click.option(
    "--explain/--no-explain",
    default=True,
    help="Compare weights, and where an artifact fails its layers, name what is wrong, and emulate int8 "
    "without VNNI. [default: --explain]",
)
@click.option(
    "--calibration",
    metavar="DATA",
    help="Images that the artifacts were calibrated with: what is wrong with them is reported. [default: "
    "those of the folder's report]",
)
@click.option(
    "--attribute",
    default=500,
    show_default=True,
    type=value_type(AtLeast0),
    metavar="N",
    help="Split what artifacts lose into its causes, on so many images; 0 does not.",
)
@click.option(
    "--unpruned",
    metavar="MODEL",
    help="The model before it was pruned: pruning then is one of the causes.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Write a page with pictures too: one file, readable anywhere.",
)
@thumbnails_option
@click.option(
    "--save-golden",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write golden vectors: images, and what each artifact that passed gives for them, with tolerances.",
)
@click.option(
    "--golden-images", default=32, show_default=True, type=value_type(AtLeast1), help="So many of them."
)
@click.option(
    "--golden",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Verify against golden vectors instead: without Keras and TensorFlow, as on a device.",
)
@junit_option
@overwrite_option("what --html, --junit and --save-golden name")
@output_options
def command(
    artifacts: tuple[Path, ...],
    golden: Path | None,
    html: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Prove model files, whoever made them, against their model.

    ARTIFACT is a .tflite or .onnx file, whoever wrote it, a Keras model, or a folder that `convert` wrote.
    A run that was ended goes on where it stopped when it is started again.

    Exit code 0: everything was proved; 4: an artifact failed; 5: more images are needed to decide; 3:
    something could not be done.
    """
    if golden is not None:
        refuse_without_effect(NOT_WITH_GOLDEN, "cannot be used with --golden, which has all that is needed")
        _replay(golden, artifacts, options, as_json=as_json, quiet=quiet)
        return
    from resnet_edge.api.verify import verify

    named = given("artifacts", "golden")
    with progress(quiet) as report:
        verification = verify(artifacts, **named, on_progress=report, command=command_line())
    _tell(verification, html, as_json=as_json, quiet=quiet)
    click.get_current_context().exit(verification.exit_code)


def _tell(verification: VerifyReport, html: Path | None, *, as_json: bool, quiet: bool) -> None:
    """On stdout, and in one line on stderr what is wrong."""
    from resnet_edge.cli._annotations import annotate
    from resnet_edge.cli._verify import print_verification
    from resnet_edge.report.junit import proved

    if as_json:
        print_json(verification.to_dict())
    elif not quiet:
        print_verification(verification)
        if html is not None:
            say(f"\nreport: {html}")
    annotate(proved(verification))
    if verification.trouble and (verification.failures or as_json or quiet):  # a table says what did not pass
        fail(verification.trouble)


def _replay(
    golden: Path, artifacts: tuple[Path, ...], options: dict[str, Any], *, as_json: bool, quiet: bool
) -> None:
    """Without a reference and data."""
    from resnet_edge.api.verify_golden import verify_golden
    from resnet_edge.cli._golden import print_golden

    with progress(quiet) as report:
        replay = verify_golden(golden, artifacts, backends=options["backends"], on_progress=report)
    if as_json:
        print_json(replay.to_dict())
    elif not quiet:
        print_golden(replay)
    if replay.trouble and (as_json or quiet):
        fail(replay.trouble)
    click.get_current_context().exit(replay.exit_code)
