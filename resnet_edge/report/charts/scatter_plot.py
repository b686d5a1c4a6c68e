"""The accuracy-against-latency picture as SVG. Colours come from the page's style sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from resnet_edge.report import words
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.accuracy_latency import Chart, Dot, Point
from resnet_edge.report.charts.axes import Axis, linear_axis, log_axis
from resnet_edge.report.charts.label_placement import Box, Wanted, place

_COLLAPSED_PP = 25.0
_LETTER = 7.5
_LINE = 15.0
_AROUND = 5.0
"""Bold digits are wider than the mean letter, which shows in short labels."""


@dataclass(frozen=True)
class Size:
    """Pixels of the whole picture, and the most letters of a direct label."""

    width: int
    height: int
    letters: int


WIDE = Size(920, 470, 30)
NARROW = Size(350, 430, 18)


@dataclass(frozen=True)
class _Frame:
    """Where the plot lies in the picture, and its axes."""

    box: Box
    x: Axis
    y: Axis
    letters: int

    def at(self, point: Point) -> tuple[float, float]:
        return self.x.at(point.x), self.y.at(point.y)


def picture(chart: Chart, size: Size, css_class: str) -> str:
    """One `<svg>` element. Every string in it is escaped, and it refers to nothing outside."""
    # Many points need room for their labels.
    size = replace(size, height=size.height + 12 * max(0, len(chart.points) - 10))
    frame = _frame(chart, size)
    parts = [
        _grid(frame, chart, size),
        _reference(frame, chart),
        *(_dot(frame, dot) for dot in chart.dots),
        *(_whiskers(frame, point) for point in chart.points),
        *(_marker(frame, point) for point in chart.points),
        *_labels(frame, chart),
    ]
    title = f"{chart.y_title} against {chart.x_title}; the table below holds the same numbers"
    return svg.drawing(css_class, size.width, size.height, title, parts)


def _frame(chart: Chart, size: Size) -> _Frame:
    box = Box(46, 34, size.width - 14, size.height - 46)
    near = [p for p in chart.points if not _collapsed(chart, p)]
    ys = [y for p in near for y in (p.y, *(p.y_interval or ()))]
    ys += [y for y in (chart.reference, chart.permitted) if y is not None]
    xs = [x for p in chart.points for x in (p.x, *(p.x_interval or ()))] + [t.x for t in chart.dots]
    return _Frame(
        box,
        log_axis(xs, box.left + 6, box.right - 6),
        linear_axis(
            ys, box.bottom - (26 if len(near) < len(chart.points) else 0), box.top, most=100.0, least=0.4
        ),
        size.letters,
    )


def _collapsed(chart: Chart, point: Point) -> bool:
    """Whether the point lies so low that showing it to scale would flatten all others."""
    top = max(p.y for p in chart.points)
    return top - point.y > _COLLAPSED_PP


def _grid(frame: _Frame, chart: Chart, size: Size) -> str:
    box = frame.box
    parts = [
        svg.text("axis", 4, 16, chart.y_title),
        svg.text("axis", box.right, size.height - 8, chart.x_title, "end"),
    ]
    for tick in frame.y.ticks:
        y = frame.y.at(tick)
        parts += [
            svg.line("grid", box.left, y, box.right, y),
            svg.text("tick", box.left - 7, y + 4, f"{tick:g}", "end"),
        ]
    for tick in frame.x.ticks:
        x = frame.x.at(tick)
        parts += [
            svg.line("grid", x, box.top, x, box.bottom),
            svg.text("tick", x, box.bottom + 17, f"{tick:g}", "middle"),
        ]
    return "".join([*parts, svg.line("base", box.left, box.bottom, box.right, box.bottom)])


def _reference(frame: _Frame, chart: Chart) -> str:
    if chart.reference is None:
        return ""
    top, box = frame.y.at(chart.reference), frame.box
    parts = [svg.line("reference", box.left, top, box.right, top)]
    if chart.permitted is not None:
        bottom = frame.y.at(chart.permitted)
        band = f'<rect class="band" x="{svg.number(box.left)}" y="{svg.number(top)}" '
        band += f'width="{svg.number(box.right - box.left)}" height="{svg.number(max(bottom - top, 0))}"/>'
        parts = [band, *parts, svg.line("permitted", box.left, bottom, box.right, bottom)]
    return "".join(parts)


def _whiskers(frame: _Frame, point: Point) -> str:
    x, y = _drawn_at(frame, point)
    css = f"whisker {svg.colour(point.colour)}"
    parts = []
    if point.x_interval:
        low, high = (frame.x.at(value) for value in point.x_interval)
        parts += [
            svg.line(css, low, y, high, y),
            svg.line(css, low, y - 3, low, y + 3),
            svg.line(css, high, y - 3, high, y + 3),
        ]
    if point.y_interval and point.y >= frame.y.low:
        low, high = (frame.y.at(value) for value in point.y_interval)
        parts += [
            svg.line(css, x, low, x, high),
            svg.line(css, x - 3, low, x + 3, low),
            svg.line(css, x - 3, high, x + 3, high),
        ]
    return "".join(parts)


def _marker(frame: _Frame, point: Point) -> str:
    x, y = _drawn_at(frame, point)
    css = f"mark {svg.colour(point.colour)}{'' if point.standing in ('pass', 'reference') else ' hollow'}"
    return svg.titled(point.detail, svg.marker(point.shape, x, y, css))


def _dot(frame: _Frame, dot: Dot) -> str:
    """On the floor of the plot where it lies below the axis: it does not set the scale."""
    y = frame.y.at(dot.y) if dot.y >= frame.y.low else frame.box.bottom - 4
    return svg.titled(dot.detail, svg.dot(frame.x.at(dot.x), y, "trial"))


def _drawn_at(frame: _Frame, point: Point) -> tuple[float, float]:
    """On the floor of the plot where the point lies below the axis."""
    x, y = frame.at(point)
    return (x, y) if point.y >= frame.y.low else (x, frame.box.bottom - 8)


def _labels(frame: _Frame, chart: Chart) -> list[str]:
    points = sorted(chart.points, key=lambda point: point.x)
    texts = [_label(frame, point) for point in points]
    spots = [_drawn_at(frame, point) for point in points]
    wanted = [
        Wanted(x, y, _LETTER * len(text) + _AROUND, _LINE) for text, (x, y) in zip(texts, spots, strict=True)
    ]
    solid = [Box(x - 7, y - 7, x + 7, y + 7) for x, y in spots]
    boxes = place(wanted, frame.box, solid, _avoided(frame, chart))
    return [
        _leader(box, *spot) + svg.text("label", box.left, box.bottom - 4, text)
        for text, spot, box in zip(texts, spots, boxes, strict=True)
        if box is not None
    ]


def _label(frame: _Frame, point: Point) -> str:
    below = f" ↓ {point.y:.1f} %" if point.y < frame.y.low else ""
    return words.shortened(point.label, frame.letters - len(below)) + below


def _avoided(frame: _Frame, chart: Chart) -> list[Box]:
    """What a label had better not cover: whiskers, and the lines of the frame."""
    lines = [frame.y.at(y) for y in (chart.reference, chart.permitted) if y is not None]
    boxes = [Box(frame.box.left, y - 1, frame.box.right, y + 1) for y in lines]
    for point in chart.points:
        x, y = _drawn_at(frame, point)
        if point.y_interval and point.y >= frame.y.low:
            low, high = (frame.y.at(value) for value in point.y_interval)
            boxes.append(Box(x - 3, high, x + 3, low))
        if point.x_interval:
            low, high = (frame.x.at(value) for value in point.x_interval)
            boxes.append(Box(low, y - 3, high, y + 3))
    return boxes


def _leader(box: Box, x: float, y: float) -> str:
    """A thin line from a marker to its label where they are not side by side."""
    near_x, near_y = min(max(x, box.left), box.right), min(max(y, box.top + 2), box.bottom - 2)
    if abs(near_x - x) <= 10 and abs(near_y - y) <= 12:
        return ""
    return svg.line("leader", x, y, near_x, near_y)
