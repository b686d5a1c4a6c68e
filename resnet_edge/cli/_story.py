"""What was done to the model before this run, as a short table on stdout."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from resnet_edge.core.report import Report
from resnet_edge.report.story import entries
from resnet_edge.report.story_table import explained, story_table

if TYPE_CHECKING:
    from rich.console import Console

_TOLD = {"Model", "Top-1", "MACs", "Parameters", "Size", "Faster by", "Images"}
"""The columns of the story that a terminal has room for; the report has all."""
_NAME_AT_LEAST = 24


def print_story(report: Report, console: Console, spelled: Callable[[str], str]) -> None:
    """One line for each point of the model's story, or a block where the terminal is narrow.

    Nothing where the model is as it was made: the artifacts of this run have their own table.
    `spelled` gives text as the terminal can show it.
    """
    found = story_table(report)
    if found is None or (len(report.history) == 1 and report.history[0].before is None):
        return
    count = sum(entry.artifact is None for entry in entries(report))
    kept = [index for index, title in enumerate(found.header) if title in _TOLD]
    body = [[spelled(row[index][0]) for index in kept] for row in found.body[:count]]
    header = [found.header[index] for index in kept]
    if not _grid(console, header, body):
        _blocks(console, header, body)
    for line in explained(report):
        if line.startswith("Top-1"):
            _line(console, spelled(line), "dim")
    console.print()


def _grid(console: Console, header: list[str], body: list[list[str]]) -> bool:
    """Print a table if it fits; whether it did."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    widths = [max(map(cell_len, column)) for column in zip(header, *body, strict=True)]
    widths[0] = min(widths[0], _NAME_AT_LEAST)
    if sum(widths) + 2 * (len(widths) - 1) > console.width:
        return False
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )
    for index, (title, width) in enumerate(zip(header, widths, strict=True)):
        words_column = index == 0 or title == "Images"
        table.add_column(
            title,
            justify="left" if words_column else "right",
            min_width=width,
            no_wrap=index > 0,
            overflow="fold",
        )
    for row in body:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    console.print(table)
    return True


def _blocks(console: Console, header: list[str], body: list[list[str]]) -> None:
    for title, *cells in body:
        _line(console, title, "bold")
        for name, cell in zip(header[1:], cells, strict=True):
            _line(console, f"  {name.lower():<10} {cell}")


def _line(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style, overflow="fold"))
