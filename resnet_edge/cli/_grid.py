"""A table on stdout that cuts no number: a grid where it fits, a block for each row where not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from resnet_edge.core.printable import printable_lines
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.report import words
from resnet_edge.report.doubted import doubted

if TYPE_CHECKING:
    from rich.console import Console

NOT_A_TERMINAL = 120
_ASCII = str.maketrans({"–": "-", "−": "-", "×": "x", "…": "...", "∞": "inf"})
_NAME_AT_LEAST = 24


def stdout_console(width: int | None = None) -> Console:
    """`width` in columns; None takes the terminal's, or 120 where stdout is no terminal; there the
    text is plain."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, width=width)
    if width is None and not console.is_terminal:
        console.width = NOT_A_TERMINAL
    return console


def spelled(console: Console, text: str) -> str:
    """The text as this terminal can show it: nothing that moves the cursor, nothing that its
    encoding lacks."""
    text = words.printable(text)
    if not console.encoding.startswith("utf"):
        text = text.translate(_ASCII).encode(console.encoding, "backslashreplace").decode(console.encoding)
    return text


def print_grid(
    console: Console, header: list[str], body: list[list[str]], left: Collection[str] = ()
) -> None:
    """Print rows of spelled cells; the first column, which may fold, and those in `left` are words."""
    if not fitting_grid(console, header, body, left):
        _blocks(console, header, body)


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print spelled text, folded at the width."""
    from rich.text import Text

    console.print(Text(printable_lines(text), style=style, overflow="fold"))


def print_doubts(console: Console, doubts: Iterable[Doubt]) -> None:
    """Before all else, what speaks against the reference."""
    for line in doubted(doubts):
        print_line(console, spelled(console, f"warning: {line}"), "bold yellow")


def fitting_grid(
    console: Console,
    header: list[str],
    body: list[list[str]],
    left: Collection[str],
    name_at_least: int = _NAME_AT_LEAST,
    styles: Sequence[str] = (),
) -> bool:
    """As print_grid, a table with a rule under its header, if it fits; whether it did. Names fold, but not
    below `name_at_least` columns; `styles` are those of the last cell of each row."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    cells = zip(header, *body, strict=True)
    widths = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in cells]
    widths[0] = min(widths[0], name_at_least)
    if sum(widths) + 2 * (len(widths) - 1) > console.width:
        return False
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )
    for index, (title, width) in enumerate(zip(header, widths, strict=True)):
        table.add_column(
            title,
            justify="left" if index == 0 or title in left else "right",
            min_width=width,
            no_wrap=index > 0,
            overflow="fold",
        )
    for row, style in zip_longest(body, styles, fillvalue=""):
        *most, last = (Text(printable_lines(cell), overflow="fold") for cell in row)
        last.stylize(style)
        table.add_row(*most, last)
    console.print(table)
    return True


def _blocks(console: Console, header: list[str], body: list[list[str]]) -> None:
    for title, *cells in body:
        print_line(console, title, "bold")
        for name, cell in zip(header[1:], cells, strict=True):
            print_line(console, f"  {name.replace(chr(10), '').lower():<10} {cell}")
