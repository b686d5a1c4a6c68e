"""Reports as HTML: one file with everything in it, nothing fetched from anywhere.

One script of ours sorts tables (sort.js); without it the page reads the same. The page itself forbids its
reader's browser every other script and every address, so that no name of a file or class could become either
(Content-Security-Policy, https://www.w3.org/TR/CSP3).
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from functools import cache
from html import escape
from importlib import resources

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


def page(document: Document) -> str:
    """The whole page. Every string from outside is escaped."""
    by = f"resnet-edge {document.version} · {document.kind}"
    banner = f"<p><strong>{safe(document.word)}</strong> {safe(document.sentence)}</p>"
    banner += block_html(Bullets(document.why)) if document.why else ""
    head = (
        f'<header>\n<p class="over">{safe(by)}</p>\n<h1>{safe(document.name)}</h1>\n'
        f'<div class="banner {document.outcome}">{banner}</div>\n</header>'
    )
    body = "\n".join([head, *map(_section, document.sections)])
    style, script = _content("page.css"), _content("sort.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon, or browsers ask the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{safe(f'{document.name}: {document.kind}')}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _content(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def safe(text: str) -> str:
    """Text as HTML that shows it as it is."""
    return escape(words.printable(text))


def _section(section: Section) -> str:
    body = "".join(map(block_html, section.blocks))
    return f'<section id="{safe(section.anchor)}">\n<h2>{safe(section.title)}</h2>\n{body}\n</section>'


def block_html(block: Block) -> str:
    """A block of a section. Its texts are escaped; the pictures are ours."""
    match block:
        case TextTable():
            return _table(block)
        case Matrix():
            return _matrix(block)
        case Paragraph():
            return f'<p class="soft">{safe(block.text)}</p>'
        case Bullets():
            return f"<ul>{''.join(f'<li>{_item(item, block.quoted)}</li>' for item in block.items)}</ul>"
        case Facts():
            facts = (f"<dt>{safe(key)}</dt><dd>{safe(value)}</dd>" for key, value in block.facts)
            return f"<dl>{''.join(facts)}</dl>"
        case Figure():
            return _figure(block)
        case Shell():
            return f"<pre>{escape(block.text)}</pre>"


def _item(item: str | Item, quoted: bool) -> str:
    if isinstance(item, str):
        parts = safe(item).split("`") if quoted else [safe(item)]
        return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    below = block_html(Bullets(item.below)) if item.below else ""
    if isinstance(item.label, Tag):
        return f"{_tag(item.label)} {safe(item.text)}{below}"
    return f"<strong>{safe(item.label)}{':' if item.text else ''}</strong> {safe(item.text)}".strip() + below


def _figure(figure: Figure) -> str:
    keys = "".join(f"<li>{marker}{safe(name)}</li>" for marker, name in figure.legend)
    above = f'<ul class="legend">{keys}</ul>' if keys else ""
    caption = f"<figcaption>{safe(figure.caption)}</figcaption>" if figure.caption else ""
    return f"<figure>{above}{figure.drawn}{caption}</figure>"


def _tag(tag: Tag) -> str:
    return f'<span class="tag {tag.standing}">{safe(tag.text)}</span>'


def _cell(cell: Cell) -> str:
    """An interval stands under its number."""
    if isinstance(cell, Tag):
        return _tag(cell)
    text, between = texts(cell)
    return f'<span>{safe(text)}<span class="under">{safe(between)}</span></span>' if between else safe(text)


def _table(table: TextTable) -> str:
    """Its rows turn into cards on a phone."""
    names = [safe(name) for name in table.header]
    css = ["number" if index in table.numbers else "" for index in range(len(names))]
    top = "".join(f'<th scope="col" class="{css[i]}">{name}</th>' for i, name in enumerate(names))
    lines = []
    pictures = table.pictures or ("",) * len(table.body)
    for picture, (first, *rest) in zip(pictures, table.body, strict=True):
        cells = [
            f'<td class="{_style(style, cell)}" data-label="{name}">{_cell(cell)}</td>'
            for style, name, cell in zip(css[1:], names[1:], rest, strict=True)
        ]
        head = _picture(picture) + _breakable(_cell(first))
        lines.append(f'<tr><th scope="row">{head}</th>{"".join(cells)}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="table"><table class="cards">'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _style(style: str, cell: Cell) -> str:
    if isinstance(cell, Tag):
        return f"{style} tagged".strip()
    return f"{style} empty" if _cell(cell) == words.ABSENT else style


def _picture(uri: str) -> str:
    """The name of the image stands beside it, so that it needs no other words."""
    return f'<img src="{safe(uri)}" alt="">' if uri else ""


def _matrix(matrix: Matrix) -> str:
    """Cells are shaded by the root of their share of the row, so that one image in forty still shows; what is
    as it should be in another colour."""
    top = "".join(f'<th scope="col"><span>{safe(name)}</span></th>' for name in matrix.names)
    lines = []
    for i, (name, row) in enumerate(zip(matrix.names, matrix.counts, strict=True)):
        total = max(sum(row), 1)
        cells = (
            f'<td class="{"right" if i == k else "wrong"}" style="--shade:{math.sqrt(n / total):.2f}">'
            f"{f'{n:,}' if n or i == k else ''}</td>"
            for k, n in enumerate(row)
        )
        lines.append(f'<tr><th scope="row">{safe(name)}</th>{"".join(cells)}</tr>')
    axes = f"{safe(matrix.rows)} ↓ {safe(matrix.columns)} →"
    return (
        f'<div class="scroll matrix" tabindex="0" role="region" aria-label="matrix"><table>'
        f'<thead><tr><th scope="col">{axes}</th>{top}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _breakable(name: str) -> str:
    """A long file name may be broken after a dot, a hyphen or an underscore."""
    return re.sub(r"([._-])", r"\1<wbr>", name)
