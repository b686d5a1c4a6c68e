"""`resnet-edge search`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from resnet_edge.api.checked import AtLeast0, AtLeast1, Percentage, Positive
from resnet_edge.cli._interrupt import telling
from resnet_edge.cli._options import (
    INPUT_SHAPE_HELP,
    accept_reference_option,
    cluster_option,
    given,
    head_option,
    output_name_option,
    overwrite_option,
    refuse_without_effect,
    shape,
    value_type,
)
from resnet_edge.cli.terminal import command_line, fail, output_options, print_json, progress, say
from resnet_edge.core.printable import shell_word
from resnet_edge.core.results.search import FRONTIER

NUMBER = r"[0-9]{1,9}"
"""Of a point; a rule has a name in it."""
FOR_A_POINT = {"model", "stored", "pick", "out", "overwrite"}
"""Options with which a point of a finished search is written."""


@click.command("search")
@click.argument("model", required=False)
@click.option(
    "--data",
    metavar="DATA",
    help="Images to choose and to prove on, as for convert. Some are held out: no trial sees them, and every "
    "figure that is shown is of them.",
)
@click.option(
    "--out",
    default="frontier",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to make; with --pick, that of the point.  [default with --pick: dist]",
)
@overwrite_option("what an earlier `search` left at DIR; with --pick, what `convert` or --pick did")
@click.option(
    "--objectives",
    default="accuracy,latency,size",
    show_default=True,
    metavar="NAME,…",
    help="What to be good in: accuracy, latency, size (of the file), download (the file in gzip).",
)
@click.option(
    "--backend",
    default="litert",
    show_default=True,
    metavar="NAME[:DEVICE][@HOST]",
    help="What it is for: where accuracy is proved and latency measured, here or over ssh.",
)
@click.option(
    "--trials",
    default=50,
    show_default=True,
    type=value_type(AtLeast1),
    help="How many configurations are tried at most, those of the study included.",
)
@click.option(
    "--budget",
    metavar="TIME",
    help="No trial begins after so long, as 30m or 2h; the proofs of the frontier come on top.  [default: no "
    "end]",
)
@click.option(
    "--study",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The journal of all trials. A search goes on where the one before it ended, and several processes "
    "share one.  [default: DIR.study]",
)
@click.option(
    "--train",
    metavar="DATA",
    help="Images to fine-tune on. Without them nothing is pruned.  [default: for fashion-mnist its own]",
)
@click.option(
    "--calibration",
    metavar="DATA",
    help="Images that set int8 ranges.  [default: some are held out of --data]",
)
@click.option(
    "--max-drop",
    default=5.0,
    show_default=True,
    type=value_type(Percentage),
    metavar="PP",
    help="Largest accuracy drop of a point, in percentage points.",
)
@click.option("--max-latency", metavar="TIME", help="Largest latency of one image, as 3ms.")
@click.option("--max-size", metavar="SIZE", help="Largest file, as 300kB or 1MB (a MB is 1,000,000 bytes).")
@click.option("--max-download", metavar="SIZE", help="Largest file in gzip.")
@click.option(
    "--space",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="The choices and their values, as the space.toml that a search writes (docs/search.md).",
)
@click.option(
    "--choose",
    multiple=True,
    metavar="NAME=VALUE,…",
    help="The values of one choice, before those of --space: scheme=int8,fp16, amount=0.2,0.4, "
    "pruning=none. One value fixes it. May be repeated.",
)
@click.option(
    "--equal-within",
    default=0.5,
    show_default=True,
    type=value_type(Percentage),
    metavar="PP",
    help="A difference in accuracy that is none to you.",
)
@click.option(
    "--equal-latency",
    default=5.0,
    show_default=True,
    type=value_type(Percentage),
    metavar="PERCENT",
    help="A difference in latency that is none to you.",
)
@click.option(
    "--threads", default=1, show_default=True, type=value_type(AtLeast1), help="Threads of the backend."
)
@click.option(
    "--batch-size", default=128, show_default=True, type=value_type(AtLeast1), help="Of fine-tuning."
)
@click.option(
    "--learning-rate", default=0.02, show_default=True, type=value_type(Positive), help="Of fine-tuning."
)
@click.option(
    "--seed", default=0, show_default=True, type=value_type(AtLeast0), help="Of all that is random."
)
@click.option(
    "--preprocess",
    metavar="NAME|FILE",
    help="What the model wants of raw pixels, as for convert. [default: read from the model]",
)
@click.option("--input-shape", callback=shape, metavar="H,W,C", help=INPUT_SHAPE_HELP)
@output_name_option
@head_option
@accept_reference_option
@click.option("--trust", is_flag=True, help="Open a SavedModel, which is a program that can do anything.")
@cluster_option
@click.option(
    "--from",
    "stored",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Search nothing: show a finished search, or with --pick write one point of it.",
)
@click.option(
    "--pick",
    metavar="RULE",
    help="With --from: write a point as `convert` would, for `package`. RULE is limits, and what to be best "
    "in, as drop<=0.5,latency<=3ms,size; or the number of a point.",
)
@output_options
def command(
    model: str | None,
    out: Path,
    stored: Path | None,
    pick: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: object,
) -> None:
    """Search how small and how fast MODEL can get for how much accuracy.

    Tries pruning, quantization and the size of the input in many ways, and leaves the frontier: points that
    no other beats in everything, each converted and proved, and said to be equal where chance cannot tell
    them apart. DIR gets frontier.html, report.json, space.toml, and a folder for each point.

    Exit code 0: every point is proved; 4: one fails its proof on images that no trial saw; 5: more images
    are needed to prove one; 3: it could not be done, as where nothing meets the limits.
    """
    from resnet_edge.cli._search import print_frontier

    if stored is not None:
        _stored(model, stored, pick, out, overwrite=overwrite, as_json=as_json, quiet=quiet)
        return
    if pick is not None:
        raise click.UsageError("--pick takes a point of a finished search: name its folder with --from DIR")
    if model is None:
        raise click.UsageError("MODEL is missing: name what to make smaller and faster, or --from DIR")
    if options["data"] is None:
        raise click.UsageError("--data is missing: every point is proved on images")

    from resnet_edge.api.search import search

    journal = options["study"] or f"{out}.study"

    def left() -> str:
        return f"interrupted; the trials that ended are in {journal}, and the same command goes on with them"

    with telling(out, left):
        with progress(quiet) as report:
            result = search(
                model, **given("model", "stored", "pick"), on_progress=report, command=command_line()
            )
        if as_json:
            print_json(result.to_dict())
        elif not quiet:
            print_frontier(result)
            say(f"\nreport: {result.folder / FRONTIER}")
            where = _word(result.folder)
            say(f"next, one of its points: resnet-edge search --from {where} --pick NUMBER_OR_RULE")
        if result.trouble:
            fail(result.trouble)
        click.get_current_context().exit(result.exit_code)


def _stored(
    model: str | None,
    stored: Path,
    pick: str | None,
    out: Path,
    *,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show a finished search, or write a point of it."""
    from resnet_edge.api.load_report import load_report
    from resnet_edge.api.reports import SearchReport
    from resnet_edge.cli._search import print_frontier
    from resnet_edge.core.errors import DataError

    if model is not None:
        raise click.UsageError("--from searches nothing: leave out MODEL, or leave out --from")
    named = given()
    refuse_without_effect(set(named) - FOR_A_POINT, "is for a search: leave it out with --from")
    if pick is None:
        refuse_without_effect({"out", "overwrite"}, "is for a point of the search: add --pick RULE")
    result = load_report(stored)
    if not isinstance(result, SearchReport):
        raise DataError(f"{stored} is no search: name a folder that `resnet-edge search` wrote")
    if pick is None:
        if as_json:
            print_json(result.to_dict())
        elif not quiet:
            print_frontier(result)
        return
    chosen = result.point(int(pick)) if re.fullmatch(NUMBER, pick.strip()) else result.pick(pick)
    folder = out if "out" in named else Path("dist")
    result.write(chosen.number, folder, overwrite=overwrite)
    if as_json:
        print_json({"point": chosen, "folder": str(folder)})
    elif not quiet:
        print_frontier(result, only=chosen)
        proved = chosen.verdict == "pass"
        after = f"the bundle for an app: resnet-edge package {_word(folder)}"
        more = f"on more images: resnet-edge verify {_word(folder)} --data MORE_IMAGES"
        say(f"\nnext, {after if proved else more}")


def _word(folder: Path) -> str:
    """As it is typed."""
    return shell_word(f"./{folder}" if str(folder).startswith("-") else str(folder))
