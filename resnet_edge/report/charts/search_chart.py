"""The frontier of a search as pictures: accuracy against latency, and against size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from resnet_edge.core.results.search import Configuration, FrontierPoint, Screened, SearchResult
from resnet_edge.report import words
from resnet_edge.report.charts import svg
from resnet_edge.report.charts.accuracy_latency import Chart, Dot, Point, Range
from resnet_edge.report.charts.scheme_colours import scheme_colour
from resnet_edge.report.rows import Standing
from resnet_edge.report.search_words import right_title, why_left

SHAPES = ("as the model", "pruned", "another input size", "pruned, another input size")
STANDINGS: dict[str, Standing] = {"pass": "pass", "fail": "fail", "inconclusive": "inconclusive"}

Across = Callable[[FrontierPoint], tuple[float, Range | None] | None]
"""Where a point stands from left to right, and its interval; None: it was not measured."""


def latency_chart(result: SearchResult) -> Chart | None:
    """Accuracy against latency; None where none was measured."""
    native = result.model_point.p50_ms

    def across(point: FrontierPoint) -> tuple[float, Range | None] | None:
        return None if point.p50_ms is None else (point.p50_ms, point.p50_ci95_ms)

    def trial(screened: Screened) -> float | None:
        ratio = screened.latency_ratio
        return None if ratio is None or native is None else ratio * native

    return _chart(result, "median latency, ms (log scale)", across, trial)


def size_chart(result: SearchResult) -> Chart | None:
    """Accuracy against the size of the file."""
    return _chart(
        result,
        "file size, MB (log scale)",
        lambda point: (point.size_bytes / 1e6, None),
        lambda screened: None if screened.size_bytes is None else screened.size_bytes / 1e6,
    )


def _chart(
    result: SearchResult, x_title: str, across: Across, trial: Callable[[Screened], float | None]
) -> Chart | None:
    points = [result.model_point, *result.points]
    drawn = [(point, x) for point in points if (x := across(point)) is not None and x[0] > 0]
    if not any(point in result.points for point, _ in drawn):
        return None
    top = _top(result)
    dots = tuple(_dots(result, top, trial))
    limit = result.limits.get("max_drop_pp")
    lowest = min([*(top - point.drop_pp for point, _ in drawn), *(dot.y for dot in dots)])
    near = limit is not None and lowest < top - limit / 2  # else it would flatten all that there is
    labelled = result.model_point.top1 is not None
    return Chart(
        points=tuple(_point(result, point, top, *x) for point, x in drawn),
        schemes=tuple(dict.fromkeys(point.configuration.scheme for point in result.points)),
        shapes=SHAPES,
        x_title=x_title,
        y_title=f"{right_title(result).lower() if labelled else 'agreement with the model'}, %",
        reference=top,
        permitted=top - limit if limit is not None and near else None,
        left_out=(),
        dots=dots,
    )


def _top(result: SearchResult) -> float:
    """Percent: the model's own accuracy, from which drops hang."""
    top1 = result.model_point.top1
    return 100.0 if top1 is None else 100 * top1


def _point(
    result: SearchResult, point: FrontierPoint, top: float, x: float, x_interval: Range | None
) -> Point:
    own = point is result.model_point
    low, high = point.drop_ci95_pp
    return Point(
        label=words.printable(result.model.name) if own else f"{point.number}{' knee' if point.knee else ''}",
        detail=_detail(result, point),
        x=x,
        x_interval=x_interval,
        y=top - point.drop_pp,
        y_interval=None if own else (top - high, top - low),
        colour=svg.COLOURS - 1 if own else scheme_colour(point.configuration.scheme),
        shape=shape(point.configuration),
        standing="reference" if own else STANDINGS.get(point.verdict, "unverified"),
    )


def shape(configuration: Configuration) -> int:
    """Of a marker, an index into SHAPES."""
    return (configuration.pruning != "none") + 2 * (configuration.input_size is not None)


def _detail(result: SearchResult, point: FrontierPoint) -> str:
    name = (
        result.model.name if point is result.model_point else f"{point.number}: {point.configuration.words}"
    )
    parts = [name, f"drop {words.points(point.drop_pp)} pp {words.interval(point.drop_ci95_pp)}".strip()]
    if point.p50_ms is not None:
        parts.append(f"p50 {words.milliseconds(point.p50_ms)} ms")
    return words.printable(", ".join([*parts, words.size(point.size_bytes)]))


def _dots(result: SearchResult, top: float, across: Callable[[Screened], float | None]) -> Iterator[Dot]:
    """Those that left, and of which enough is known to draw them."""
    staying = {point.number for point in result.points}
    for trial in result.trials:
        x = across(trial)
        if trial.number in staying or x is None or trial.drop_pp is None or x <= 0:
            continue
        reason = f"{trial.number}: {trial.configuration.words}; left: {why_left(trial)}"
        yield Dot(x=x, y=top - trial.drop_pp, detail=words.printable(reason))
