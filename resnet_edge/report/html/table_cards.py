"""A table of words as HTML."""

from __future__ import annotations

from resnet_edge.report.html.elements import over, safe, table
from resnet_edge.report.text_table import TextTable


def table_cards(found: TextTable) -> str:
    """Intervals stand under their numbers."""
    body = [[over(safe(number), safe(between)) for number, between in row] for row in found.body]
    return table(found.header, body, found.numbers)
