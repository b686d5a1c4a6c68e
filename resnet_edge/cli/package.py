"""`resnet-edge package`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import names, overwrite_option
from resnet_edge.cli.terminal import fail, output_options, print_json, progress
from resnet_edge.core import registry
from resnet_edge.core.errors import EXIT_DONE, EXIT_FAILED_PROOF

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""A language tag (RFC 5646)."""


def _profiles(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    known = {registry.option_of(name): name for name in registry.names("bundle.targets")}
    words = [word.strip() for word in value.split(",")]
    for word in words:
        if word not in known:
            raise click.BadParameter(f"no profile is called {word!r}; choose from: {', '.join(known)}")
    return tuple(dict.fromkeys(known[word] for word in words))


def _translations(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    found: dict[str, Path] = {}
    for word in value:
        locale, equals, path = word.partition("=")
        if not (equals and path and LANGUAGE.fullmatch(locale)):
            raise click.BadParameter(f"{word!r} is not LANGUAGE=FILE, as in de=labels_de.txt")
        if locale in found:
            raise click.BadParameter(f"{locale} is given twice")
        found[locale] = Path(path)
    return tuple(found.items())


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
    callback=_profiles,
    metavar="NAME,…",
    help="The kinds of apps that it is for: android-tasks, litert, mcu, mcu-integer, onnx.  [default: those "
    "that can hold the model, but for mcu-integer]",
)
@click.option(
    "--schemes",
    callback=names("schemes"),
    metavar="NAME,…",
    help="The schemes to put in.  [default: all that were converted and a profile takes]",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Images to prove on and to take golden images from. [default: what `convert` was given, where that "
    "is a name]",
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
    type=click.IntRange(1),
    help="How many images every runtime is proved on.",
)
@click.option(
    "--golden",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="How many golden images to put in.",
)
@click.option("--unproved", is_flag=True, help="Ship artifacts that did not pass; the bundle says so.")
@click.option(
    "--labels-in",
    "translations",
    multiple=True,
    callback=_translations,
    metavar="LANGUAGE=FILE",
    help="Class names in another language (de, pt-BR), for the metadata; may be repeated.",
)
@click.option("--model-version", default="1", show_default=True, help="For the metadata of the files.")
@click.option("--license", default="", metavar="SPDX", help="For the metadata of the files.")
@click.option("--intended-use", default="", metavar="TEXT", help="A sentence for the model card.")
@output_options
def command(
    folder: Path,
    out: Path,
    overwrite: bool,
    profiles: tuple[str, ...] | None,
    schemes: tuple[str, ...] | None,
    translations: tuple[tuple[str, Path], ...],
    data: str | None,
    resize: str,
    images: int,
    golden: int,
    unproved: bool,
    model_version: str,
    license: str,
    intended_use: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make the bundle for an app from DIR, which `convert` wrote.

    Model files for each kind of app, with what they must be fed, golden vectors, and a proof in every
    runtime of apps that is installed here (`resnet-edge doctor`).

    Exit code 0: every runtime that opens a file gives the artifact's answers; 4: one does not; 3: it could
    not be made, as where an artifact has no passing proof.
    """
    from resnet_edge.bundle.converted import read_converted
    from resnet_edge.bundle.package import PackageRequest, package
    from resnet_edge.cli._convert import read_paths
    from resnet_edge.cli._package import print_bundle, reproduced, travelling_card, without_places_in
    from resnet_edge.core.workspace import Workspace
    from resnet_edge.report.bundle_texts import bundle_document, write_bundle
    from resnet_edge.report.model_card import model_card

    read = (folder, *read_paths(None, data, resize), *(path for _, path in translations))
    place = Workspace(out, writer="package", overwrite=overwrite, inputs=read)
    converted = read_converted(folder)
    request = PackageRequest(
        profiles=profiles,
        schemes=schemes,
        translations=translations,
        data=data,
        resize=resize,
        images=images,
        golden=golden,
        unproved=unproved,
        version=model_version,
        license=license,
    )
    typed = reproduced(folder, request, intended_use)
    with telling(out):
        with place as workspace:
            with progress(quiet) as report:
                found = package(request, converted, workspace, report)
            roots = (workspace.folder, workspace.scratch, workspace.logs, folder)
            found = without_places_in(found, roots)
            card = travelling_card(model_card(found, converted.document, typed, intended_use, license), roots)
            write_bundle(found, workspace.folder, typed, card)
            made = workspace.publish_partial() if found.failed else workspace.publish()
        if as_json:
            print_json(bundle_document(found, typed, made))
        elif not quiet:
            print_bundle(found, made)
        if found.failed:
            first = found.failed[0]
            fail(f"{first.file} on {first.backend}: {first.reason}; what was made is in {made}")
        click.get_current_context().exit(EXIT_FAILED_PROOF if found.failed else EXIT_DONE)
