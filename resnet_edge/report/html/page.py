"""Reports as HTML: one file with everything in it; no script, nothing fetched from anywhere."""

from __future__ import annotations

import re
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
    banner = f"<strong>{safe(document.word)}</strong> {safe(document.sentence)}"
    head = (
        f'<header>\n<p class="over">{safe(by)}</p>\n<h1>{safe(document.name)}</h1>\n'
        f'<div class="banner {document.outcome}"><p>{banner}</p></div>\n</header>'
    )
    body = "\n".join([head, *map(_section, document.sections)])
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon, or browsers ask the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{safe(f'{document.name}: {document.kind}')}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


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
    for first, *rest in table.body:
        cells = [
            f'<td class="{style}{" empty" if cell == words.ABSENT else ""}" data-label="{name}">{cell}</td>'
            for style, name, cell in zip(css[1:], names[1:], map(_cell, rest), strict=True)
        ]
        lines.append(f'<tr><th scope="row">{_breakable(_cell(first))}</th>{"".join(cells)}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="table"><table class="cards">'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _breakable(name: str) -> str:
    """A long file name may be broken after a dot, a hyphen or an underscore."""
    return re.sub(r"([._-])", r"\1<wbr>", name)
