"""Accuracy against latency in a report: the picture for both widths, its legend and its caption."""

from __future__ import annotations

from resnet_edge.report.blocks import Figure
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.accuracy_latency import Chart
from resnet_edge.report.charts.scatter_plot import NARROW, WIDE, picture
from resnet_edge.report.charts.scheme_colours import scheme_colour


def accuracy_title(chart: Chart | None) -> str:
    """What stands over the picture: where no latency is known, it has the size of files instead."""
    cost = "latency" if chart is None or chart.x_title.startswith("median") else "size"
    return f"Accuracy against {cost}"


def accuracy_blocks(chart: Chart | None, tested_on: str) -> list[Figure]:
    """The picture; nothing where there is nothing to draw. `tested_on`: how many images."""
    if chart is None:
        return []
    drawn = picture(chart, WIDE, "plot wide") + picture(chart, NARROW, "plot narrow")
    return [Figure(drawn, _legend(chart), _caption(chart, tested_on))]


def _legend(chart: Chart) -> list[tuple[str, str]]:
    shapes = {point.shape for point in chart.points}
    keys = [(svg.legend_marker(i), name) for i, name in enumerate(chart.shapes) if i in shapes]
    keys += [(svg.legend_marker(css=svg.colour(scheme_colour(name))), name) for name in chart.schemes]
    if any(point.standing not in ("pass", "reference") for point in chart.points):
        keys.append((svg.legend_marker(css="ink hollow"), "did not pass"))
    if chart.reference is not None:
        keys.append((svg.legend_line(), f"Keras reference, {chart.reference:.2f} %"))
    if chart.reference is not None and chart.permitted is not None:
        keys.append(
            (svg.legend_band(), f"permitted drop, {round(chart.reference - chart.permitted, 6):g} pp")
        )
    return keys


def _caption(chart: Chart, tested_on: str) -> str:
    parts = ["Up and to the left is better."]
    if any(point.x_interval for point in chart.points):
        parts.append("Horizontal whiskers: 95 % interval of the median latency.")
    if any(point.y_interval for point in chart.points):
        parts.append("Vertical whiskers: paired 95 % interval of the drop, hung from the reference.")
    if chart.left_out:
        parts.append(f"Not drawn, for want of a number: {', '.join(chart.left_out)}.")
    return " ".join([*parts, f"Tested on {tested_on}."])
