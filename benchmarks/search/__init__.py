"""How well a search searches: every configuration of a space measured once, and searches replayed on that."""

from __future__ import annotations

from typing import Any

from benchmarks.results import markdown_table

HEADER = ("trials", "`search`", "at random", "a grid")


def table(result: dict[str, Any]) -> str:
    """The hypervolumes as shares of the best, with their standard deviation over the seeds."""
    return markdown_table(HEADER, result["rows"])
