"""Rows under each other on one scale, as SVG: dots with intervals, or bars with a limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resnet_edge.report import words
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.axes import Axis, log_axis, zero_axis

SPREAD = 6.0
"""The largest over the smallest value from which on the scale is logarithmic."""
_TOP, _FOOT = 26.0, 44.0


@dataclass(frozen=True, kw_only=True)
class DotRow:
    """One row: its name and where it ran, its value, and what is written of it (`value`, and `more`
    below); `detail` is told when it is pointed at. `hollow`: it is not sure."""

    name: str
    place: str
    at: float
    interval: tuple[float, float] | None
    value: str
    more: str
    detail: str
    colour: int
    shape: int = 0
    hollow: bool = False


@dataclass(frozen=True, kw_only=True)
class DotPlot:
    """All rows, positive values. `bars` start at zero; `limit` is a line with its name."""

    rows: tuple[DotRow, ...]
    axis: str
    title: str
    bars: bool = False
    limit: tuple[float, str] | None = None

    @property
    def log(self) -> bool:
        """Whether the scale is logarithmic."""
        values = [row.at for row in self.rows]
        return not self.bars and max(values) > SPREAD * min(values)


@dataclass(frozen=True, kw_only=True)
class PlotSize:
    """Pixels: the width of all, where the scale begins and ends, and the height of a row. `above`: names
    stand above their mark and not beside it. `letters` of a name at most."""

    width: int
    left: int
    right: int
    row: int
    above: bool
    letters: int


WIDE = PlotSize(width=920, left=236, right=740, row=42, above=False, letters=27)
NARROW = PlotSize(width=350, left=10, right=338, row=62, above=True, letters=27)


def both(plot: DotPlot) -> str:
    """For wide windows and for narrow ones; the style sheet chooses."""
    return draw(plot, WIDE, "plot wide") + draw(plot, NARROW, "plot narrow")


def draw(plot: DotPlot, size: PlotSize, css: str) -> str:
    """One `<svg>` element."""
    axis = _axis(plot, size)
    bottom = _TOP + size.row * len(plot.rows)
    parts = [
        *_grid(plot, axis, bottom),
        *_limit(plot, axis, size),
        *(part for n, row in enumerate(plot.rows) for part in _row(plot, row, axis, size, n)),
        svg.text("axis", size.right, bottom + 36, plot.axis + (" (log scale)" if plot.log else ""), "end"),
    ]
    return svg.drawing(css, size.width, bottom + _FOOT, plot.title, parts)


def _axis(plot: DotPlot, size: PlotSize) -> Axis:
    values = [value for row in plot.rows for value in (row.at, *(row.interval or ()))]
    if plot.log:
        return log_axis(values, size.left, size.right)
    limit = [plot.limit[0]] if plot.limit else []
    return zero_axis(max([*values, *limit]), size.left, size.right)


def _grid(plot: DotPlot, axis: Axis, bottom: float) -> Iterator[str]:
    for tick in axis.ticks:
        x = axis.at(tick)
        yield svg.line("grid", x, _TOP, x, bottom)
        yield svg.text("tick", x, bottom + 17, f"{tick:g}", "middle")
    yield svg.line("base", axis.start, bottom, axis.end, bottom)


def _limit(plot: DotPlot, axis: Axis, size: PlotSize) -> Iterator[str]:
    """One line; where words stand above the bars, a piece at each bar."""
    if plot.limit is None:
        return
    value, name = plot.limit
    x = axis.at(value)
    yield svg.text("axis", x, _TOP - 10, name, "end")
    for number in range(len(plot.rows)):
        top = _TOP + size.row * number
        begin = _middle(size, number) - 10 if size.above else top
        yield svg.line("permitted", x, begin, x, top + size.row)


def _middle(size: PlotSize, number: int) -> float:
    """Where the mark of a row stands."""
    return _TOP + size.row * number + (size.row - 15 if size.above else size.row / 2)


def _row(plot: DotPlot, row: DotRow, axis: Axis, size: PlotSize, number: int) -> Iterator[str]:
    top = _TOP + size.row * number
    middle = _middle(size, number)
    name = words.shortened(row.name, size.letters)
    place = words.shortened(row.place, size.letters + 4)
    if size.above:
        yield svg.text("label", size.left, top + 15, name)
        yield svg.text("tick", size.left, top + 31, place)
        yield svg.text("label", size.right, top + 15, row.value, "end")
        yield svg.text("tick", size.right, top + 31, row.more, "end")
    else:
        yield svg.text("label", 4, middle - 3, name)
        yield svg.text("tick", 4, middle + 13, place)
        yield svg.text("label", size.right + 12, middle - 3, row.value)
        yield svg.text("tick", size.right + 12, middle + 13, row.more)
    yield svg.titled(row.detail, _bar(row, axis, middle) if plot.bars else _dot(row, axis, middle))


def _bar(row: DotRow, axis: Axis, y: float) -> str:
    css = f"bar {svg.colour(row.colour)}{' hollow' if row.hollow else ''}"
    return svg.rect(css, axis.start, y - 7, axis.at(row.at) - axis.start, 14)


def _dot(row: DotRow, axis: Axis, y: float) -> str:
    colour, x = svg.colour(row.colour), axis.at(row.at)
    parts = [svg.line("grid", axis.start, y, x, y)]
    if row.interval is not None:
        low, high = (axis.at(bound) for bound in row.interval)
        ends: Sequence[tuple[float, float, float, float]] = (
            (low, y, high, y),
            (low, y - 8, low, y + 8),
            (high, y - 8, high, y + 8),
        )
        parts += [svg.line(f"whisker {colour}", *end) for end in ends]
    parts.append(svg.marker(row.shape, x, y, f"mark {colour}{' hollow' if row.hollow else ''}"))
    return "".join(parts)
