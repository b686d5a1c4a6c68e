"""What the resize of platforms does to a model's answers, on stdout for people."""

from __future__ import annotations

from resnet_edge.cli._grid import print_grid, print_line, spelled, stdout_console
from resnet_edge.core.results.resize_check import ResizeCheck
from resnet_edge.report.resize_words import HEADER, resize_rows, resize_sentences, resize_warnings


def print_resize(check: ResizeCheck, width: int | None = None) -> None:
    """The table, the warnings, and what is not known. `width` as cli._grid.stdout_console takes it."""
    console = stdout_console(width)
    first, *rest = resize_sentences(check)
    print_line(console, spelled(console, first))
    if check.rows:
        body = [
            ["\n".join(spelled(console, line) for line in cell.split("\n")) for cell in row]
            for row in resize_rows(check)
        ]
        print_grid(console, list(HEADER), body)
    for warning in resize_warnings(check):
        print_line(console, spelled(console, f"warning: {warning}"), "yellow")
    for note in rest:
        print_line(console, spelled(console, f"note: {note}"), "dim")
