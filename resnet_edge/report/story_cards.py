"""A table of words as HTML."""

from __future__ import annotations

from resnet_edge.report.elements import over, safe, table
from resnet_edge.report.story_table import StoryTable


def story_cards(found: StoryTable) -> str:
    """Intervals stand under their numbers."""
    body = [[over(safe(number), safe(between)) for number, between in row] for row in found.body]
    return table(found.header, body, found.numbers)
