"""What each layer takes, artifacts side by side, as SVG: columns of bars; on a phone, bars in groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from resnet_edge.report import words
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.bench_layers import LayerRow

CUT = 3.0
"""A bar ends at so many times the longest bar of the middle artifact, with an arrow: one artifact that is
slow throughout would flatten all others."""
_WIDE, _NARROW = 920, 350
_NAMES, _NUMBER = 190, 44
_ROW, _BAR, _TOP = 19.0, 11.0, 46.0


@dataclass(frozen=True)
class Column:
    """An artifact: its name, where it ran, and the classes of its bars (scheme_colours.bar_styles)."""

    name: str
    place: str
    style: str


@dataclass(frozen=True)
class LayerBars:
    """Layers with as many times as there are columns, and what is told where a bar is pointed at."""

    columns: tuple[Column, ...]
    layers: tuple[LayerRow, ...]

    @property
    def longest(self) -> float:
        """Microseconds of the longest bar that is drawn."""
        tops = [
            max((taken for layer in self.layers if (taken := layer.microseconds[n]) is not None), default=0.0)
            for n in range(len(self.columns))
        ]
        return min(max(tops), CUT * median(tops)) or 1.0


def both(bars: LayerBars) -> str:
    """For wide windows and for narrow ones; the style sheet chooses."""
    return wide(bars) + narrow(bars)


def wide(bars: LayerBars) -> str:
    """A row for each layer and a column for each artifact."""
    each = (_WIDE - _NAMES) / len(bars.columns)
    bottom = _TOP + _ROW * len(bars.layers)
    parts = [*_headers(bars.columns, each)]
    for number, layer in enumerate(bars.layers):
        y = _TOP + _ROW * number
        parts.append(svg.text("tick", _NAMES - 10, y + 12, words.shortened(layer.name, 27), "end"))
        parts += [
            _bar(bars, layer, column, _NAMES + each * column, y + 3, each - _NUMBER - 8)
            for column in range(len(bars.columns))
        ]
    parts += [
        svg.line("base", _NAMES + each * n, _TOP, _NAMES + each * n, bottom) for n in range(len(bars.columns))
    ]
    return svg.drawing("plot wide", _WIDE, bottom + 6, _title(bars), parts)


def _headers(columns: Sequence[Column], each: float) -> Iterator[str]:
    letters = int((each - 8) / 8)
    for number, column in enumerate(columns):
        left = _NAMES + each * number
        yield svg.text("label", left, 16, words.shortened(column.name, letters))
        yield svg.text("tick", left, 32, words.shortened(column.place, letters))


def narrow(bars: LayerBars) -> str:
    """A group of bars for each layer, the artifacts under each other."""
    parts, y = [], 4.0
    for layer in bars.layers:
        parts.append(svg.text("label", 4, y + 12, words.shortened(layer.name, 44)))
        y += 18
        for column, taken in enumerate(layer.microseconds):
            if taken is not None:
                parts.append(_bar(bars, layer, column, 4, y, _NARROW - _NUMBER - 12))
                y += _BAR + 3
        y += 8
    return svg.drawing("plot narrow", _NARROW, y, _title(bars), parts)


def _bar(bars: LayerBars, layer: LayerRow, column: int, left: float, top: float, room: float) -> str:
    taken = layer.microseconds[column]
    if taken is None:
        return ""
    share = min(taken / bars.longest, 1.0)
    artifact = bars.columns[column]
    microseconds = f"{taken:.0f}" if taken >= 9.95 else f"{taken:.1f}"
    arrow = "▸ " if taken > bars.longest * 1.001 else ""
    parts = svg.rect(f"bar {artifact.style}", left, top, share * room, _BAR)
    parts += svg.text("tick", left + share * room + 4, top + 10, arrow + microseconds)
    return svg.titled(f"{layer.name} in {artifact.name} on {artifact.place}: {microseconds} µs", parts)


def _title(bars: LayerBars) -> str:
    names = ", ".join(f"{column.name} on {column.place}" for column in bars.columns)
    return f"microseconds of each layer in {names}; the table below holds the same numbers"
