"""Lines, text and markers as SVG. Colours come from the page's style sheet."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence

COLOURS = 8
"""How many classes `c0`, `c1`, … the style sheet has."""


def drawing(css: str, width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """One `<svg>` element, which refers to nothing outside; `title` says what it shows."""
    return (
        f'<svg class="{css}" viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'aria-label="{html.escape(title)}">{"".join(parts)}</svg>'
    )


def number(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough."""
    return f"{value:.1f}".removesuffix(".0")


def line(css: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line."""
    return f'<line class="{css}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def rect(css: str, left: float, top: float, width: float, height: float) -> str:
    """A filled box; one of no width is a thin line, so that it is seen."""
    at = f'x="{number(left)}" y="{number(top)}" width="{number(max(width, 0.6))}" height="{number(height)}"'
    return f'<rect class="{css}" {at}/>'


def text(css: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    """Words, escaped; `anchor` is start, middle or end."""
    at = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"'
    return f'<text class="{css}" {at}>{html.escape(words)}</text>'


def titled(title: str, parts: str) -> str:
    """Parts that tell more when pointed at."""
    return f"<g><title>{html.escape(title)}</title>{parts}</g>"


def _circle(x: float, y: float, css: str) -> str:
    return f'<circle class="{css}" cx="{number(x)}" cy="{number(y)}" r="5.5"/>'


def _polygon(*corners: tuple[float, float]) -> Callable[[float, float, str], str]:
    def draw(x: float, y: float, css: str) -> str:
        points = " ".join(f"{number(x + dx)},{number(y + dy)}" for dx, dy in corners)
        return f'<polygon class="{css}" points="{points}"/>'

    return draw


_SHAPES: Sequence[Callable[[float, float, str], str]] = (
    _circle,
    _polygon((-5, -5), (5, -5), (5, 5), (-5, 5)),
    _polygon((0, -6.5), (6.3, 4.7), (-6.3, 4.7)),
    _polygon((0, -7), (7, 0), (0, 7), (-7, 0)),
    _polygon((0, 6.5), (6.3, -4.7), (-6.3, -4.7)),
    _polygon(
        (-2, -6),
        (2, -6),
        (2, -2),
        (6, -2),
        (6, 2),
        (2, 2),
        (2, 6),
        (-2, 6),
        (-2, 2),
        (-6, 2),
        (-6, -2),
        (-2, -2),
    ),
)


def dot(x: float, y: float, css: str) -> str:
    """A mark that is smaller than a marker, for points on a line."""
    return f'<circle class="{css}" cx="{number(x)}" cy="{number(y)}" r="2.6"/>'


def marker(shape: int, x: float, y: float, css: str) -> str:
    """One of six shapes, by number."""
    return _SHAPES[shape % len(_SHAPES)](x, y, css)


def colour(index: int) -> str:
    """The class of a colour, by number; they come round again."""
    return f"c{index % COLOURS}"


def legend_marker(shape: int = 0, css: str = "ink") -> str:
    """A small `<svg>` with one marker, for the legend."""
    return _key(marker(shape, 8, 8, f"mark {css}"))


def legend_stroke(css: str) -> str:
    """A small `<svg>` with a line, for the legend."""
    return _key(line(f"whisker {css}", 0, 8, 16, 8))


def legend_line() -> str:
    """A small `<svg>` with the dashes of the reference line."""
    return _key(line("reference", 0, 8, 16, 8))


def legend_band() -> str:
    """A small `<svg>` with the shade of the permitted drop and the line that ends it."""
    return _key(f'<rect class="band" x="0" y="2" width="16" height="12"/>{line("permitted", 0, 14, 16, 14)}')


def _key(drawing: str) -> str:
    return f'<svg class="key" viewBox="0 0 16 16" aria-hidden="true">{drawing}</svg>'
