"""What pages are built of: a file that stands alone, its sections, tables and lists; all is escaped."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from html import escape
from importlib import resources

from resnet_edge.report import words


def document(title: str, sections: Iterable[str]) -> str:
    """A whole page: one file with everything in it; no script, nothing fetched from anywhere."""
    body = "\n".join(found for found in sections if found)
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon, or browsers ask the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{safe(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def head(over: str, title: str, css: str, word: str, sentence: str) -> str:
    """The headline, and a banner with the verdict: a word, coloured by `css`, and a sentence."""
    return (
        f'<header>\n<p class="over">{safe(over)}</p>\n<h1>{safe(title)}</h1>\n'
        f'<div class="banner {css}"><p><strong>{safe(word)}</strong> {safe(sentence)}</p></div>'
        "\n</header>"
    )


def safe(text: str) -> str:
    """Text as HTML that shows it as it is."""
    return escape(words.printable(text))


def section(title: str, body: str) -> str:
    """A heading and what stands under it (HTML)."""
    return f"<section>\n<h2>{safe(title)}</h2>\n{body}\n</section>"


def listing(items: Iterable[str]) -> str:
    """Texts with bullets."""
    return f"<ul>{''.join(f'<li>{safe(item)}</li>' for item in items)}</ul>"


def facts(found: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    return f"<dl>{''.join(f'<dt>{safe(key)}</dt><dd>{safe(value)}</dd>' for key, value in found)}</dl>"


def reasons(title: str, found: list[tuple[str, list[str]]]) -> str:
    """A section of what is wrong, each with why; nothing where nothing is."""
    if not found:
        return ""
    items = "".join(f"<li><strong>{safe(what)}</strong>{listing(why)}</li>" for what, why in found)
    return section(title, f"<ul>{items}</ul>")


def shell(line: str) -> str:
    """A command line, or several."""
    return f"<pre>{escape(line)}</pre>"


def figure(legend: Iterable[tuple[str, str]], drawn: str, caption: str) -> str:
    """Pictures (HTML), with a legend of markers (HTML) and names, and a caption."""
    keys = "".join(f"<li>{marker}{safe(name)}</li>" for marker, name in legend)
    above = f'<ul class="legend">{keys}</ul>' if keys else ""
    return f"<figure>{above}{drawn}<figcaption>{safe(caption)}</figcaption></figure>"


def over(number: str, interval: str) -> str:
    """A number with something smaller under it; both are HTML."""
    return f'<span>{number}<span class="under">{interval}</span></span>' if interval else number


def tag(css: str, text: str) -> str:
    """A word in a coloured frame."""
    return f'<span class="tag {css}">{safe(text)}</span>'


def table(header: Iterable[str], body: Iterable[list[str]], numbers: Collection[int]) -> str:
    """A table whose rows turn into cards on a phone. The cells are HTML, the header is text."""
    names = [safe(name) for name in header]
    css = ["number" if index in numbers else "" for index in range(len(names))]
    top = "".join(f'<th scope="col" class="{css[i]}">{name}</th>' for i, name in enumerate(names))
    lines = []
    for first, *rest in body:
        cells = [
            f'<td class="{style}{" empty" if cell == words.ABSENT else ""}" data-label="{name}">{cell}</td>'
            for style, name, cell in zip(css[1:], names[1:], rest, strict=True)
        ]
        lines.append(f'<tr><th scope="row">{_breakable(first)}</th>{"".join(cells)}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="table"><table class="cards">'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _breakable(name: str) -> str:
    """A long file name may be broken after a dot, a hyphen or an underscore."""
    return re.sub(r"([._-])", r"\1<wbr>", name)
