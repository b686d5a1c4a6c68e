"""`resnet-edge bench`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from resnet_edge.cli._options import backends_option
from resnet_edge.cli.terminal import command_line, fail, output_options, print_json, progress

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """A callback for a time such as 60s."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|)", value.strip())
    if found is None or not float(found[1]):
        raise click.BadParameter("give a time, as in 90s or 2m")
    return float(found[1]) * _UNITS[found[2]]


@click.command("bench")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH…")
@backends_option(None, "Where to measure; without it, wherever artifacts open here")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Of every backend.")
@click.option("--batch", default=1, show_default=True, type=click.IntRange(1), help="Images at a time.")
@click.option(
    "--budget",
    default="60s",
    show_default=True,
    callback=_seconds,
    metavar="TIME",
    help="It ends when all figures hold, and at the latest after so long.",
)
@click.option("--profile", is_flag=True, help="Tell what every layer takes, and what holds int8 back.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="A.json B.json",
    help="Measure nothing: tell what changed from one --json document to the other.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Orders the turns.")
@output_options
def command(
    paths: tuple[Path, ...],
    backends: tuple[str, ...] | None,
    threads: int,
    batch: int,
    budget: float,
    profile: bool,
    compare: tuple[Path, Path] | None,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the latency of artifacts across backends, so that it holds when repeated.

    PATH is an artifact (.tflite, .onnx), a Keras model (.keras, .h5), or a folder that `convert` wrote,
    which brings its Keras model along. All of them take turns in shuffled rounds, each backend in a
    process of its own, on the same cores.

    Exit code 0: every figure holds; 5: some do not, and the table says why (a longer --budget, or a
    quieter machine, may mend it); 3: something could not be timed.
    """
    from resnet_edge.cli._bench import print_bench
    from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_DONE, EXIT_INCONCLUSIVE
    from resnet_edge.stages.bench import BenchRequest, bench
    from resnet_edge.stages.bench_files import bench_files

    if compare is not None:
        if paths:
            raise click.UsageError("--compare takes two documents, and no PATH")
        _compare(*compare, as_json=as_json, quiet=quiet)
        return
    if not paths:
        raise click.UsageError("name artifacts, or a folder that `resnet-edge convert` wrote")
    request = BenchRequest(
        bench_files(paths), backends or (), threads, batch, budget, seed, profile, command_line()
    )
    with progress(quiet) as report:
        found = bench(request, report)
    if as_json:
        print_json(found)
    elif not quiet:
        print_bench(found)
    code = EXIT_DONE if found.conclusive else EXIT_INCONCLUSIVE
    if found.failures:
        first, more = found.failures[0], len(found.failures) - 1
        others = f" (and {more} more)" if more else ""
        fail(f"{first.artifact} on {first.backend} {first.device}: {first.message}{others}")
        code = EXIT_COULD_NOT
    click.get_current_context().exit(code)


def _compare(before: Path, after: Path, *, as_json: bool, quiet: bool) -> None:
    from resnet_edge.cli._bench_compare import print_comparison
    from resnet_edge.stages.bench_compare import compared, read_bench

    found = compared(read_bench(before), read_bench(after))
    if as_json:
        print_json(found)
    elif not quiet:
        print_comparison(found)
