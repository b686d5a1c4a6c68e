"""`resnet-edge package`."""

from __future__ import annotations

from pathlib import Path

import click

from resnet_edge.api.checked import AtLeast1
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import backends_option, given, overwrite_option, value_type
from resnet_edge.cli.terminal import fail, output_options, print_json, progress
from resnet_edge.core.language import is_language


def _translations(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, Path]:
    by_locale: dict[str, Path] = {}
    for word in value:
        locale, equals, path = word.partition("=")
        if not (equals and path and is_language(locale)):
            raise click.BadParameter(f"{word!r} is not LANGUAGE=FILE, as in de=labels_de.txt")
        if locale in by_locale:
            raise click.BadParameter(f"{locale} is given twice")
        by_locale[locale] = Path(path)
    return by_locale


@click.command("package")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    default="bundle",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="The folder to make.",
)
@overwrite_option("what an earlier `package` left at BUNDLE")
@click.option(
    "--profiles",
    metavar="NAME,…",
    help="The kinds of apps that it is for: android-tasks, litert, mcu, mcu-integer, onnx.  [default: those "
    "that can hold the model, but for mcu-integer]",
)
@click.option(
    "--schemes",
    metavar="NAME,…",
    help="The schemes to put in.  [default: all that were converted and a profile takes; dynamic, int16x8 "
    "and float16 in ONNX where there is no other]",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Images to prove on and to take golden images from. [default: what `convert` was given, where that "
    "still is]",
)
@click.option(
    "--resize",
    default="pillow",
    show_default=True,
    metavar="NAME|FILE",
    help="How photos were resized for training.",
)
@click.option(
    "--images",
    default=1000,
    show_default=True,
    type=value_type(AtLeast1),
    help="How many images every runtime is proved on.",
)
@click.option(
    "--golden",
    default=10,
    show_default=True,
    type=value_type(AtLeast1),
    help="How many golden images to put in.",
)
@backends_option("Runtimes to prove in beside those of the profiles that are here", "none")
@click.option("--unproved", is_flag=True, help="Ship artifacts that did not pass; the bundle says so.")
@click.option(
    "--labels-in",
    multiple=True,
    callback=_translations,
    metavar="LANGUAGE=FILE",
    help="Class names in another language (de, pt-BR), for the metadata; may be repeated.",
)
@click.option("--model-version", default="1", show_default=True, help="For the metadata of the files.")
@click.option("--license", default="", metavar="SPDX", help="For the metadata of the files.")
@click.option("--intended-use", default="", metavar="TEXT", help="A sentence for the model card.")
@output_options
def command(folder: Path, out: Path, as_json: bool, quiet: bool, **options: object) -> None:
    """Make the bundle for an app from DIR, which `convert` wrote.

    Model files for each kind of app, with what they must be fed, golden vectors, and a proof in every
    runtime of apps that is installed here (`resnet-edge doctor`). On other machines files are timed, too.

    Exit code 0: every runtime that opens a file gives the artifact's answers; 4: one does not; 3: it could
    not be made, as where an artifact has no passing proof, or a machine of --backends went away.
    """
    from resnet_edge.api.package import package
    from resnet_edge.cli._package import print_bundle

    with telling(out):
        with progress(quiet) as report:
            bundle = package(folder, **given("folder"), on_progress=report)
        if as_json:
            print_json(bundle.to_dict())
        elif not quiet:
            print_bundle(bundle, bundle.folder)
        if bundle.trouble:
            fail(bundle.trouble)
        click.get_current_context().exit(bundle.exit_code)
