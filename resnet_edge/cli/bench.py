"""`resnet-edge bench`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resnet_edge.api.checked import AtLeast0, AtLeast1
from resnet_edge.cli._options import (
    backends_option,
    given,
    junit_option,
    no_cluster_option,
    overwrite_option,
    refuse_without_effect,
    seconds,
    value_type,
)
from resnet_edge.cli.terminal import command_line, fail, output_options, print_json, progress, say

if TYPE_CHECKING:
    from resnet_edge.api.reports import BenchReport

HOW_TO_MEASURE = {"backends", "threads", "batch", "budget", "profile", "seed", "junit"}
"""Options of what is measured, which a stored document was long ago."""


@click.command("bench")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH…")
@backends_option(
    "Where to measure", "where the folder's report proved the files; else wherever they open here"
)
@no_cluster_option
@click.option("--threads", default=1, show_default=True, type=value_type(AtLeast1), help="Of every backend.")
@click.option("--batch", default=1, show_default=True, type=value_type(AtLeast1), help="Images at a time.")
@click.option(
    "--budget",
    default="60s",
    show_default=True,
    callback=seconds,
    metavar="TIME",
    help="It ends when all figures hold, and at the latest after so long, starts and warm-up included. "
    "Each is opened and timed twice even where that takes longer, which is said beforehand.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Time every layer, too, and list what makes int8 slow. Takes time of its own, after --budget.",
)
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="A.json B.json",
    help="Measure nothing: show what changed from one --json document to the other.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Write a page with pictures too: one file, readable anywhere.",
)
@click.option(
    "--from",
    "stored",
    type=click.Path(path_type=Path),
    metavar="A.json",
    help="Measure nothing: show a --json document, as a table or with --html.",
)
@click.option(
    "--accept-noise",
    is_flag=True,
    help="Exit code 0 and not 5 where figures do not hold, as on a shared CI runner; they stay marked.",
)
@junit_option
@overwrite_option("FILE.html and FILE.xml")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=value_type(AtLeast0),
    help="Of the random order of the rounds.",
)
@output_options
def command(
    paths: tuple[Path, ...],
    compare: tuple[Path, Path] | None,
    html: Path | None,
    stored: Path | None,
    accept_noise: bool,
    junit: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: object,
) -> None:
    """Measure latency across backends, so that it holds when repeated.

    PATH is an artifact (.tflite, .onnx), a Keras model (.keras, .h5), or a folder that `convert` wrote,
    which brings its Keras model along. They are timed in interleaved rounds, in random order, each backend
    in a process of its own, on the same cores.

    Exit code 0: every figure holds; 5: some do not, and the table says why (a longer --budget, or a
    quieter machine, may fix it, and --accept-noise makes it 0); 3: something could not be timed.
    """
    from resnet_edge.cli._annotations import annotate
    from resnet_edge.cli._bench import print_bench
    from resnet_edge.report.junit import timed

    _check_usage(paths, compare, html, stored, junit, overwrite)
    if compare is not None:
        _compare(*compare, as_json=as_json, quiet=quiet)
        return
    if stored is None:
        result = _measured(paths, quiet=quiet)
    else:
        result = _stored(stored, html, accept_noise=accept_noise)
    if as_json:
        print_json(result)
    elif not quiet:
        print_bench(result)
        if html is not None:
            say(f"\nreport: {html}")
    annotate(timed(result))
    if result.trouble:
        fail(result.trouble)
    click.get_current_context().exit(result.exit_code)


def _check_usage(
    paths: tuple[Path, ...],
    compare: tuple[Path, Path] | None,
    html: Path | None,
    stored: Path | None,
    junit: Path | None,
    overwrite: bool,
) -> None:
    """What is wrong is said before anything is measured."""
    from resnet_edge.report.whole_file import check_page

    for mode, chosen, without in (
        ("--compare", compare, {*HOW_TO_MEASURE, "accept_noise"}),
        ("--from", stored, HOW_TO_MEASURE),
    ):
        if chosen is not None:
            refuse_without_effect(without, f"is for figures that are measured: leave it out with {mode}")
    if compare is not None:
        if paths or stored:
            raise click.UsageError("--compare takes two documents, and no PATH")
        if html:
            raise click.UsageError(
                "--compare draws no page: make one of each document with --from A.json --html FILE.html"
            )
    elif stored is not None and paths:
        raise click.UsageError("--from measures nothing: leave out PATH, or leave out --from")
    elif stored is None and not paths:
        raise click.UsageError("name artifacts, or a folder that `resnet-edge convert` wrote")
    if html is not None:
        check_page("--html", html, overwrite)
    elif overwrite and junit is None:
        raise click.UsageError("--overwrite is for what is written: name it with --html or --junit")


def _measured(paths: tuple[Path, ...], *, quiet: bool) -> BenchReport:
    from resnet_edge.api.bench import bench

    with progress(quiet) as report:
        return bench(paths, **given("paths", "compare", "stored"), on_progress=report, command=command_line())


def _stored(document: Path, html: Path | None, *, accept_noise: bool) -> BenchReport:
    from resnet_edge.api.reports import BenchReport, extended
    from resnet_edge.benchmarking.compare import read_bench
    from resnet_edge.report.bench_sections import bench_document
    from resnet_edge.report.html.page import page
    from resnet_edge.report.whole_file import write_whole

    read = read_bench(document)
    result = extended(BenchReport, replace(read, noise_accepted=read.noise_accepted or accept_noise))
    if html is not None:
        write_whole("--html", html, page(bench_document(result)))
    return result


def _compare(before: Path, after: Path, *, as_json: bool, quiet: bool) -> None:
    from resnet_edge.benchmarking.compare import compared, read_bench
    from resnet_edge.cli._bench_compare import print_comparison

    comparison = compared(read_bench(before), read_bench(after))
    if as_json:
        print_json(comparison)
    elif not quiet:
        print_comparison(comparison)
