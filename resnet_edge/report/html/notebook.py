"""A table for a notebook: one piece of HTML without scripts and styles of its own page."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.report.html.page import safe

Cells = Sequence[str]
_COLOURS = {
    "pass": "#1a7f37",
    "agrees": "#1a7f37",
    "steady": "#1a7f37",
    "fail": "#cf222e",
    "differs": "#cf222e",
}


def table(title: str, rows: Sequence[Cells]) -> str:
    """The first row is the head; verdicts have their colours, and figures stand to the right."""
    head, *body = rows
    lines = [f"<tr>{''.join(f'<th>{safe(cell)}</th>' for cell in head)}</tr>"]
    lines += [f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in body]
    return f"<table><caption>{safe(title)}</caption>{''.join(lines)}</table>"


def _cell(text: str) -> str:
    colour = f"color: {_COLOURS[text]}; " if text in _COLOURS else ""
    side = "right" if text[:1].isdigit() or text[:1] == "-" else "left"
    return f'<td style="{colour}text-align: {side}">{safe(text)}</td>'
