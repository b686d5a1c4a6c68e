"""A table of words, which every writer draws in its own way."""

from __future__ import annotations

from dataclasses import dataclass

Cell = tuple[str, str]
"""A number and its interval, which may be empty."""


@dataclass(frozen=True)
class TextTable:
    """`header`, and a row of cells for each entry; `numbers` are the columns that stand to the right."""

    header: tuple[str, ...]
    body: tuple[tuple[Cell, ...], ...]
    numbers: range
