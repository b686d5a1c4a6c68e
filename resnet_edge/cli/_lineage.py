"""What was done to the model before this run, as a short table on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resnet_edge.cli._grid import print_grid, print_line, spelled
from resnet_edge.core.results.report import Report
from resnet_edge.report.blocks import texts
from resnet_edge.report.lineage import entries
from resnet_edge.report.lineage_table import explained, lineage_table

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = {"Model", "Top-1", "MACs", "Parameters", "Size", "Faster by", "Images"}
"""The columns of the lineage that a terminal has room for; the report has all."""


def print_lineage(report: Report, console: Console) -> None:
    """One line for each point of the model's lineage, or a block where the terminal is narrow.

    Nothing where the model is as it was made: the artifacts of this run have their own table.
    """
    table = lineage_table(report)
    if table is None or (len(report.history) == 1 and report.history[0].before is None):
        return
    count = sum(entry.artifact is None for entry in entries(report))
    kept = [index for index, title in enumerate(table.header) if title in _COLUMNS]
    body = [[spelled(console, texts(row[index])[0]) for index in kept] for row in table.body[:count]]
    header = [table.header[index] for index in kept]
    print_grid(console, header, body, left={"Images"})
    for line in explained(report):
        if line.startswith("Top-1"):
            print_line(console, spelled(console, line), "dim")
    console.print()
