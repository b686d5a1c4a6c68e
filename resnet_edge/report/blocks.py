"""What a report consists of, before it is Markdown or HTML: sections of typed blocks of plain text.

Nothing here is escaped; `markdown` and `html.page` are the writers, each for its own format.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from resnet_edge.report.rows import Standing

Result = TypeVar("Result", contravariant=True)
"""What a report is of: a Report, a Verification, a bench."""
Outcome = Literal["passed", "failed", "inconclusive", "incomplete"]


@dataclass(frozen=True)
class Tag:
    """A verdict in a word, coloured as `standing`."""

    text: str
    standing: Standing


Cell = str | tuple[str, str] | Tag
"""A text, a number and its interval (which may be empty), or a verdict."""


def texts(cell: Cell) -> tuple[str, str]:
    """What stands in it, and what stands beside that and is less (which may be empty)."""
    if isinstance(cell, tuple):
        return cell
    return cell if isinstance(cell, str) else cell.text, ""


@dataclass(frozen=True)
class TextTable:
    """`header`, and a row of cells for each entry; `numbers` are the columns that stand to the right, `names`
    those of files and tensors, which are copied letter by letter. `pictures`: a data URI for each row, which
    stands before its first cell (empty: none); text alone has no place for it."""

    header: tuple[str, ...]
    body: tuple[tuple[Cell, ...], ...]
    numbers: range
    names: range = range(0)
    pictures: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """How often each class, a row, is taken for each class, a column, of the same names: `rows` and `columns`
    say what of. Where it is taken for itself all is well."""

    rows: str
    columns: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Paragraph:
    """A few sentences that explain what stands beside them."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """A point of a list: a label that stands out, a text after it, and points below it."""

    label: str | Tag
    text: str = ""
    below: Sequence[str] = ()


@dataclass(frozen=True)
class Bullets:
    """Points under each other. `quoted`: the sentences are ours and put names between backquotes."""

    items: Sequence[str | Item]
    quoted: bool = False


@dataclass(frozen=True)
class Facts:
    """Labels and values; the values of the labels in `names` are copied letter by letter."""

    facts: Sequence[tuple[str, str]]
    names: Container[str] = ()


@dataclass(frozen=True)
class Figure:
    """A picture (SVG, for both widths), a legend of markers (SVG) and their names, and a caption. Text alone
    has no place for it, so what it shows is told beside it as well."""

    drawn: str
    legend: Sequence[tuple[str, str]] = ()
    caption: str = ""


@dataclass(frozen=True)
class Shell:
    """A command line, or several under each other."""

    text: str


Block = TextTable | Matrix | Paragraph | Bullets | Facts | Figure | Shell


@dataclass(frozen=True)
class Section:
    """A heading, the name by which links find it, and what stands under it: one block at least."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Entry(Generic[Result]):
    """A section of a list: its anchor, its title, and the function that gives its blocks. Where that gives
    none, the section does not apply and is left out."""

    anchor: str
    title: str | Callable[[Result], str]
    blocks: Callable[[Result], Iterable[Block]]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report: `name` says of what and `kind` what it is, `version` is that of resnet-edge. `word` and
    `sentence` are the verdict, coloured as `outcome`, and `why` what it rests on, where not all is well."""

    name: str
    kind: str
    version: str
    outcome: Outcome
    word: str
    sentence: str
    sections: tuple[Section, ...]
    why: tuple[str, ...] = ()


def sections(entries: Iterable[Entry[Result]], result: Result) -> tuple[Section, ...]:
    """Those that apply, in the order of the list."""
    filled = ((entry, tuple(entry.blocks(result))) for entry in entries)
    return tuple(
        Section(entry.anchor, entry.title if isinstance(entry.title, str) else entry.title(result), blocks)
        for entry, blocks in filled
        if blocks
    )


def bullets(items: Sequence[str | Item]) -> list[Bullets]:
    """A list of the items; none where there is no item."""
    return [Bullets(items)] if items else []
