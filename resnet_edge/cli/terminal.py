"""What a person sees: progress, tables and errors on stderr; results on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from resnet_edge.core.progress import Progress, Report, silent

F = TypeVar("F", bound=Callable[..., Any])


def output_options(function: F) -> F:
    """The options that every command has: --json and --quiet."""
    function = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(function)
    return click.option("--quiet", is_flag=True, help="No progress, errors only.")(function)


def fail(message: str) -> None:
    """One line on stderr that begins with `error:`."""
    click.echo("error: " + " ".join(message.split()), err=True)


def print_json(document: Any) -> None:
    """One JSON document on stdout, and nothing else."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


@contextmanager
def progress(quiet: bool) -> Iterator[Report]:
    """A report that draws live bars on a terminal and plain lines elsewhere, on stderr."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _live() as report:
            yield report
    else:
        yield _Plain()


@contextmanager
def _live() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(news: Progress) -> None:
            if news.line:
                bars.console.print(news.note, highlight=False)
                return
            if news.step not in tasks:
                tasks[news.step] = bars.add_task(news.step, total=None, note="")
            bars.update(tasks[news.step], completed=news.done, total=news.total or None, note=news.note)

        yield report


class _Plain:
    """Lines for a log: each step once when it begins, each quarter, and lines meant to stay."""

    def __init__(self) -> None:
        self._quarters: dict[str, int] = {}

    def __call__(self, news: Progress) -> None:
        if news.line:
            click.echo(news.note, err=True)
            return
        quarter = 4 * news.done // news.total if news.total else 0
        if self._quarters.get(news.step, -1) < quarter:
            self._quarters[news.step] = quarter
            count = f" {news.done}/{news.total}" if news.total else ""
            click.echo(f"{news.step}{count} {news.note}".rstrip(), err=True)
