"""What a person sees: progress, tables and errors on stderr; results on stdout."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, TextIO, TypeVar, cast

import click

from resnet_edge.core.printable import one_line, printable_json, printable_lines
from resnet_edge.workers.progress import OnProgress, Progress, silent
from resnet_edge.workers.variables import check_variables

F = TypeVar("F", bound=Callable[..., Any])


def output_options(function: F) -> F:
    """The options that every command has, --json and --quiet, and what each checks first."""

    @wraps(function)
    def checked(*words: Any, **options: Any) -> Any:
        check_variables()
        return function(*words, **options)

    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(
        checked
    )
    return cast("F", click.option("--quiet", is_flag=True, help="No progress, errors only.")(command))


def command_line() -> str:
    """What the user typed, as a report repeats it."""
    return shlex.join(["resnet-edge", *sys.argv[1:]])


def say(text: str = "", *, err: bool = False) -> None:
    """Lines for people, in which nothing moves the cursor: all that is written without rich goes through
    here, and with it through `cli._grid.spelled`."""
    click.echo(printable_lines(text), err=err)


def say_note(text: str) -> None:
    """A note on stdout, wrapped between words on a terminal."""
    line = "note: " + one_line(text)
    say(_wrapped(line) if sys.stdout.isatty() else line)


def fail(message: str) -> None:
    """One line on stderr that begins with `error:`. A terminal gets it wrapped between words; what reads a
    pipe or a log finds it on one."""
    with suppress(OSError):  # where stderr is closed there is nobody to tell
        line = "error: " + one_line(message)
        say(_wrapped(line) if sys.stderr.isatty() else line, err=True)


def _wrapped(line: str) -> str:
    """Lines of the terminal's width; paths and names stay whole, to be copied."""
    width = shutil.get_terminal_size().columns
    return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def print_json(document: Any) -> None:
    """One JSON document on stdout, and nothing else."""
    import msgspec

    click.echo(printable_json(msgspec.json.format(msgspec.json.encode(document), indent=2).decode()))


def print_error_document(message: str, code: int) -> None:
    """What --json prints where there is no result: {"error": one line, "exit_code": code}."""
    # Not by msgspec: an interrupt may have hit it while it was imported, and then decimal complains in C.
    text = json.dumps({"error": one_line(message), "exit_code": code}, ensure_ascii=False, indent=2)
    try:
        click.echo(text)
    except OSError:
        silence()


def silence(stream: TextIO | None = None) -> None:
    """Stop writing to stdout, or to `stream`: what is buffered would fail once more when the interpreter ends
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe)."""
    with suppress(OSError, ValueError):  # it is closed, or no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def last_words() -> None:
    """Write what is still buffered, or drop it where nobody takes it: the interpreter would end with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            silence(stream)


@contextmanager
def progress(quiet: bool, stays: set[str] | None = None) -> Iterator[OnProgress]:
    """A report that draws live bars on a terminal and plain lines elsewhere, on stderr. `stays` gets the
    lines that stay where a person sees both streams, so that they need not be printed again at the end."""
    from resnet_edge.cli._progress import Lines, live

    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with live() as report:
            yield report if stays is None or not sys.stdout.isatty() else _noting(report, stays)
    else:
        lines = Lines()
        try:
            yield lines
        except BaseException:
            lines.end("stopped after")
            raise
        lines.end("done in")


def _noting(report: OnProgress, stays: set[str]) -> OnProgress:
    def noting(news: Progress) -> None:
        if news.line:
            stays.add(news.note)
        report(news)

    return noting
