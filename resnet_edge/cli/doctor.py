"""`resnet-edge doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from resnet_edge.cli.terminal import output_options, print_json, progress

if TYPE_CHECKING:
    from resnet_edge.core.results.examination import Examination


@click.command("doctor")
@click.option(
    "--host",
    metavar="HOST",
    help="Of another machine: a name of your ssh configuration, or user@address[:port].",
)
@output_options
@click.pass_context
def command(ctx: click.Context, host: str | None, as_json: bool, quiet: bool) -> None:
    """Show versions, the machine, and which backends open here.

    Each backend runs a tiny network on each of its devices. Exits with 3 where an installed
    backend does not open.
    """
    from resnet_edge.api.doctor import doctor

    with progress(quiet) as report:
        examination = doctor(host=host, on_progress=report)
    if as_json:
        print_json(examination)
    elif not quiet:
        _print(examination)
    ctx.exit(examination.exit_code)


def _print(examination: Examination) -> None:
    from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
    from resnet_edge.report import doctor_words

    console = stdout_console()
    for line in doctor_words.machine_lines(examination):
        print_line(console, spelled(console, line))
    rows = [[spelled(console, cell) for cell in row] for row in doctor_words.working(examination)]
    if rows:
        console.print()
        print_line(console, doctor_words.WORKS)
        print_grid(console, list(doctor_words.HEADER), rows, left=doctor_words.HEADER[:-1])
    for lines in (doctor_words.broken(examination), doctor_words.absent(examination)):
        if lines:
            console.print()
        for line in lines:
            print_line(console, spelled(console, line))
    console.print()
    print_line(console, spelled(console, doctor_words.summary(examination)), "bold")
