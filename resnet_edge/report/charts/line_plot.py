"""How errors grow from layer to layer, as SVG: a line for each artifact, over depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.report import words
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.axes import Axis, linear_axis
from resnet_edge.report.charts.label_placement import Box
from resnet_edge.report.charts.scatter_plot import NARROW, WIDE, Size
from resnet_edge.report.growth import layer_title, worst

MOST_DB = 120.0
"""What is better is drawn here: layers in float have no error to speak of."""


def both(growths: Sequence[ErrorGrowth], styles: Sequence[str]) -> str:
    """For wide windows and for narrow ones; the style sheet chooses. Nothing where there is no number.
    `styles`: one for each artifact (scheme_colours.line_styles)."""
    drawn = [growth for growth in growths if any(layer.sqnr_db is not None for layer in growth.layers)]
    if not drawn:
        return ""
    return "".join(
        _draw(growths, styles, size, f"plot {css}") for size, css in ((WIDE, "wide"), (NARROW, "narrow"))
    )


def _draw(growths: Sequence[ErrorGrowth], styles: Sequence[str], size: Size, css: str) -> str:
    height = size.height - 90
    box = Box(46, 34, size.width - 14, height - 46)
    most = max(len(growth.layers) for growth in growths)
    values = [
        _shown(layer.sqnr_db) for growth in growths for layer in growth.layers if layer.sqnr_db is not None
    ]
    # With five layers or fewer linear_axis would put ticks between them.
    x = Axis(low=1, high=max(most, 2), start=box.left + 8, end=box.right - 8, ticks=_numbers(most))
    y = linear_axis(values, box.bottom, box.top, most=MOST_DB, least=10)
    parts = [*_grid(box, x, y, height)]
    for growth, style in zip(growths, styles, strict=True):
        parts += _curve(growth, x, y, style)
    title = "SQNR of every layer's activations over depth, a line for each artifact"
    return svg.drawing(css, size.width, height, title, parts)


def _numbers(most: int) -> tuple[float, ...]:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000) if most / s <= 10)
    return (1.0, *(float(n) for n in range(step, most + 1, step) if n > 1))


def _shown(value: float) -> float:
    return min(value, MOST_DB)


def _grid(box: Box, x: Axis, y: Axis, height: float) -> Iterator[str]:
    yield svg.text("axis", 4, 16, "SQNR, dB")
    yield svg.text("axis", box.right, height - 8, "layer, in the order of execution", "end")
    for tick in y.ticks:
        yield svg.line("grid", box.left, y.at(tick), box.right, y.at(tick))
        yield svg.text("tick", box.left - 7, y.at(tick) + 4, f"{tick:g}", "end")
    for tick in x.ticks:
        yield svg.text("tick", x.at(tick), box.bottom + 17, f"{tick:g}", "middle")
    yield svg.line("base", box.left, box.bottom, box.right, box.bottom)


def _curve(growth: ErrorGrowth, x: Axis, y: Axis, style: str) -> Iterator[str]:
    """Lines between neighbours, a dot for each layer, and a hollow one for that which falls most."""
    spots = [
        None if layer.sqnr_db is None else (x.at(number), y.at(_shown(layer.sqnr_db)))
        for number, layer in enumerate(growth.layers, start=1)
    ]
    for before, after in zip(spots, spots[1:], strict=False):
        if before is not None and after is not None:
            yield svg.line(f"whisker {style}", *before, *after)
    colour = style.split()[0]
    fallen = next(iter(worst(growth)), None)
    for spot, layer in zip(spots, growth.layers, strict=True):
        if spot is None:
            continue
        detail = f"{words.printable(growth.artifact)}, {layer_title(layer)}: {words.decibels(layer.sqnr_db)}"
        mark = svg.marker(0, *spot, f"mark {colour} hollow") if layer is fallen else svg.dot(*spot, colour)
        yield svg.titled(detail, mark)
