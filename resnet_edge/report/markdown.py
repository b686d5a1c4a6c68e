"""Reports as a code host shows them (GitHub-flavoured Markdown)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence

from resnet_edge.report import words
from resnet_edge.report.blocks import (
    Block,
    Bullets,
    Cell,
    Document,
    Facts,
    Figure,
    Item,
    Matrix,
    Paragraph,
    Section,
    Shell,
    Tag,
    TextTable,
    texts,
)

_RISKY = re.compile(r"([\\`*_\[\]|~$])")
_BLOCK_START = re.compile(r"^(?=[-+#=])|(?<=^\d)(?=[.)](?:\s|$))")
_INTERVAL = re.compile(r"\[[\d.,× −–]+\]")
"""In brackets that make no link: nothing in it needs an escape, and people read the file as it is, too."""
_PLAIN_CODE = re.compile(r"[\w./:,=@%+ -]+", re.ASCII)


def markdown(document: Document) -> str:
    """The whole file. Strings from outside are escaped: they cannot make markup."""
    parts = [
        f"# {escaped(document.name)}: {escaped(document.kind)}",
        f"**{escaped(document.word.upper())}.** {escaped(document.sentence)}",
        "\n".join(f"- {escaped(line)}" for line in document.why),
        *map(_section, document.sections),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in a paragraph or in a table cell."""
    text = words.printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BLOCK_START.sub(r"\\", _RISKY.sub(r"\\\1", text))


def code(text: str) -> str:
    """The text in a code span, safe in a table cell."""
    text = words.printable(text)
    if _PLAIN_CODE.fullmatch(text) and text.strip() == text:
        return f"`{text}`"
    spelled = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)
    return f"<code>{spelled}</code>"


def spans(sentence: str) -> str:
    """A sentence of ours that puts names between backquotes, which become code spans."""
    return "".join(code(part) if i % 2 else escaped(part) for i, part in enumerate(sentence.split("`")))


def _section(section: Section) -> str:
    """A section of nothing but pictures has no place here."""
    blocks = [text for block in section.blocks if (text := _block(block))]
    return "\n\n".join([f"## {escaped(section.title)}", *blocks]) if blocks else ""


def _block(block: Block) -> str:
    match block:
        case TextTable():
            body = [[_cell(cell, i in block.names) for i, cell in enumerate(row)] for row in block.body]
            return _table(block.header, body, block.numbers)
        case Matrix():
            return _matrix(block)
        case Paragraph():
            return escaped(block.text)
        case Bullets():
            return "\n".join(_item(item, block.quoted) for item in block.items)
        case Facts():
            facts = ([escaped(key), _cell(value, key in block.names)] for key, value in block.facts)
            return _table(("What", "Value"), facts)
        case Figure():
            return ""
        case Shell():
            return _shell(block.text)


def _table(header: Sequence[str], body: Iterable[Sequence[str]], right: Container[int] = ()) -> str:
    rule = ["---:" if index in right else "---" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *body))


def _matrix(matrix: Matrix) -> str:
    """What is as it should be is bold, and nothing stands for none."""
    body = [
        [escaped(name), *(_count(count, i == k) for k, count in enumerate(row))]
        for i, (name, row) in enumerate(zip(matrix.names, matrix.counts, strict=True))
    ]
    header = (f"{escaped(matrix.rows)} ↓ {escaped(matrix.columns)} →", *map(escaped, matrix.names))
    return _table(header, body, range(1, len(header)))


def _count(count: int, right: bool) -> str:
    return f"**{count:,}**" if right else f"{count:,}" if count else ""


def _cell(cell: Cell, name: bool) -> str:
    """A verdict is bold, but where it is as it should be."""
    if isinstance(cell, Tag):
        return escaped(cell.text) if cell.standing in ("pass", "reference") else f"**{escaped(cell.text)}**"
    text, between = texts(cell)
    between = between if _INTERVAL.fullmatch(between) else escaped(between)
    return f"{code(text) if name else escaped(text)} {between}".strip()


def _item(item: str | Item, quoted: bool) -> str:
    if isinstance(item, str):
        return f"- {spans(item) if quoted else escaped(item)}"
    label = item.label if isinstance(item.label, str) else item.label.text
    first = f"- **{escaped(label)}**" + (f": {escaped(item.text)}" if item.text else "")
    return "\n".join([first, *(f"  - {escaped(line)}" for line in item.below)])


def _shell(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"
