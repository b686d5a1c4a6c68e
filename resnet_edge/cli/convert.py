"""`resnet-edge convert`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge.api.checked import AtLeast0, AtLeast1, NotNegative, Percentage
from resnet_edge.calibrate.calibration_task import CalibratorName, RepairName
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import (
    INPUT_SHAPE_HELP,
    accept_reference_option,
    backends_option,
    cluster_option,
    dense_scales_option,
    given,
    head_option,
    junit_option,
    output_name_option,
    overwrite_option,
    shape,
    thumbnails_option,
    value_type,
)
from resnet_edge.cli.terminal import command_line, fail, output_options, print_json, progress, say
from resnet_edge.core.scheme import Io
from resnet_edge.core.tolerances import MAX_DROP_PP


@click.command("convert")
@click.argument("model", required=False)
@click.option(
    "--out",
    default="dist",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to make.",
)
@overwrite_option("what an earlier `convert` left at DIR, and FILE.xml")
@click.option(
    "--formats",
    default="tflite,onnx",
    show_default=True,
    metavar="NAME,…",
    help="What to make.",
)
@click.option(
    "--schemes",
    default="fp32,fp16,dynamic,int8",
    show_default=True,
    metavar="NAME,…",
    help="How to store numbers: these, and int16x8 (slow on CPUs). A format leaves out what it does not "
    "offer, and says so.",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Images to prove on: a folder with one folder of images per class, or with images alone; an .npz of "
    "images and labels; shards (TFRecord, a tar of WebDataset, Parquet): one, their folder, or a pattern in "
    "quotes; or fashion-mnist. With labels accuracy is proved, without them agreement.",
)
@click.option(
    "--calibration",
    metavar="DATA",
    help="Images that set int8 ranges, never those of the proof. [default: some are held out of --data]",
)
@click.option(
    "--calibrator",
    default="auto",
    show_default=True,
    type=value_type(CalibratorName),
    help="How int8 ranges are set. auto: by the measured noise of the int8 outputs, never worse than minmax.",
)
@click.option(
    "--repair",
    type=value_type(RepairName),
    help="Whether weights and biases are changed to make up for rounding (no training). auto: where it "
    "measures better. [default: auto with --calibrator auto, else none]",
)
@click.option(
    "--plan/--no-plan",
    default=True,
    help="Where int8 misses --max-drop, leave the layers that cost most in float until it holds. "
    "[default: --plan, without --float-layers]",
)
@click.option(
    "--float-layers",
    default=0,
    show_default=True,
    type=value_type(AtLeast0),
    metavar="N",
    help="int8: take N steps of that order, whether it holds or not, as `search` finds it out.",
)
@click.option(
    "--max-drop",
    default=MAX_DROP_PP,
    show_default=True,
    type=value_type(Percentage),
    metavar="PP",
    help="Largest accuracy drop, in percentage points.",
)
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="What the model wants of raw pixels: unit, symmetric, imagenet, caffe, model, none, or a JSON "
    "file. [default: read from the model]",
)
@backends_option("Where to prove and to measure", "litert for .tflite, onnxruntime for .onnx")
@cluster_option
@click.option(
    "--runtimes",
    default="",
    metavar="NAME>=VERSION,…",
    help="The oldest runtimes that the files are to run on, as tflite>=2.5,onnxruntime>=1.12; also litert, "
    "opencv, and tflite_micro>=2024. What needs a newer one is left out, and an error where --schemes names "
    "it.",
)
@click.option(
    "--thorough",
    is_flag=True,
    help="Compare layers, split losses into causes, and watch what integers run as in every file, as "
    "`verify` does. [default: only in files that fail]",
)
@click.option(
    "--io",
    default="float32",
    show_default=True,
    type=value_type(Io),
    help="Input and output of int8 artifacts.",
)
@click.option(
    "--integer-softmax",
    is_flag=True,
    help="With --io int8: compute a last softmax or sigmoid in int8 as well, in steps of 1/256, for "
    "processors without floats.",
)
@dense_scales_option(
    "int8 scales of a dense layer's weights: one for all outputs, which every runtime computes right, "
    "or one for each, which needs TensorFlow Lite 2.13 (dynamic: 2.17)."
)
@click.option("--dynamic-batch", is_flag=True, help="Any batch size instead of 1.")
@click.option("--nchw", is_flag=True, help="ONNX files take N,C,H,W; TFLite files stay N,H,W,C.")
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Class names, one per line. [default: the model's, or the data's]",
)
@click.option("--input-shape", callback=shape, metavar="H,W,C", help=INPUT_SHAPE_HELP)
@output_name_option
@head_option
@accept_reference_option
@click.option("--trust", is_flag=True, help="Open a SavedModel, which is a program that can do anything.")
@click.option(
    "--threads",
    default=1,
    show_default=True,
    type=value_type(AtLeast1),
    help="Threads of every backend when latency is measured.",
)
@click.option(
    "--latency-seconds",
    default=8.0,
    show_default=True,
    type=value_type(NotNegative),
    help="Time to measure latency for; 0: do not.",
)
@thumbnails_option
@junit_option
@output_options
def command(model: str | None, out: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Convert MODEL to TFLite and ONNX, and prove what comes out.

    MODEL is a .keras or .h5 file, a SavedModel folder (--trust), a name from the zoo,
    app:ResNet50 (keras.applications), or package.module:factory. Without MODEL, the bundled
    ResNet-20 is converted and proved on the 10,000 test images of Fashion-MNIST.

    Exit code 0: everything was proved; 4: an artifact failed its proof; 5: more images are
    needed to decide; 3: something could not be done.
    """
    from resnet_edge.api.convert import convert
    from resnet_edge.cli._annotations import annotate
    from resnet_edge.cli._conclusion import next_command, what_images_prove
    from resnet_edge.cli._grid import print_line, stdout_console
    from resnet_edge.cli._table import print_table
    from resnet_edge.report.few_images import few_images
    from resnet_edge.report.junit import proved

    with telling(out):
        stays: set[str] = set()
        with progress(quiet, stays) as report:
            result = convert(model, **given("model"), on_progress=report, command=command_line())
        if as_json:
            print_json(result.to_dict())
        elif not quiet:
            print_table(result, above=stays)
            if not few_images(result.parity, result.max_drop_pp) and (proves := what_images_prove(result)):
                print_line(stdout_console(), proves)
            say(f"\nreport: {result.folder / 'report.html'}")
            if command_to_type := next_command(result, result.folder):
                say(command_to_type)
        annotate(proved(result))
        if result.trouble and (result.failures or as_json or quiet):  # a table says what did not pass
            fail(result.trouble)
        click.get_current_context().exit(result.exit_code)
