"""A frontier as one table on stdout, for people: one line a point where it fits, else two, else a block."""

from __future__ import annotations

from resnet_edge.cli._grid import fitting_grid, print_grid, print_line, spelled, stdout_console
from resnet_edge.core.results.search import FrontierPoint, SearchResult
from resnet_edge.report import words
from resnet_edge.report.charts.search_chart import STANDINGS
from resnet_edge.report.doubted import doubted
from resnet_edge.report.rows import WORDS, Standing
from resnet_edge.report.search_sections import conclusion
from resnet_edge.report.search_words import equal_words, figures_of, right_title, trial_counts

_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}


def print_frontier(result: SearchResult, only: FrontierPoint | None = None, width: int | None = None) -> None:
    """Print the points, what cannot be told apart, notes and the answer; or `only` one point. `width` in
    columns; None takes the terminal's, or 120 where stdout is no terminal."""
    console = stdout_console(width)
    points = [only] if only else sorted(result.points, key=lambda point: (point.drop_pp, point.number))
    styles = [*([] if only else [""]), *(_STYLES.get(point.verdict, "") for point in points)]
    for rows, name_at_least in ((_one_line, 40), (_two_lines, 30)):
        header, *body = rows(result, points, own=only is None)
        body = [
            ["\n".join(spelled(console, line) for line in cell.split("\n")) for cell in row] for row in body
        ]
        if fitting_grid(console, header, body, {"Verdict"}, name_at_least, styles):
            break
    else:
        header, *body = _one_line(result, points, own=only is None)
        print_grid(console, header, [[spelled(console, cell) for cell in row] for row in body], {"Verdict"})
    if only:
        return
    for line in (
        *equal_words(result),
        *(f"note: {note}" for note in (*doubted(result.doubts), *result.notes)),
        figures_of(result),
        trial_counts(result) + ".",
    ):
        print_line(console, spelled(console, line), "dim")
    print_line(console, spelled(console, conclusion(result)), "bold")


def _name(point: FrontierPoint) -> str:
    return f"{point.number}  {point.configuration.words}{' (knee)' if point.knee else ''}"


def _cells(point: FrontierPoint, standing: Standing) -> list[str]:
    drop, between = words.estimate(point.drop_pp, point.drop_ci95_pp, words.points)
    return [
        words.percent(point.top1, point.n),
        drop,
        between,
        words.milliseconds(point.p50_ms),
        words.size(point.size_bytes),
        WORDS[standing],
    ]


def _one_line(result: SearchResult, points: list[FrontierPoint], own: bool) -> list[list[str]]:
    rows = [["Point", right_title(result), "Drop [95 %]", "p50, ms", "Size", "Verdict"]]
    for name, point, standing in _named(result, points, own=own):
        top1, drop, between, p50, size, verdict = _cells(point, standing)
        rows.append([name, top1, f"{drop} {between}".strip(), p50, size, verdict])
    return rows


def _two_lines(result: SearchResult, points: list[FrontierPoint], own: bool) -> list[list[str]]:
    rows = [["Point", right_title(result), "Drop\n[95 %]", "p50, ms\nsize", "Verdict"]]
    for name, point, standing in _named(result, points, own=own):
        top1, drop, between, p50, size, verdict = _cells(point, standing)
        rows.append([name, top1, f"{drop}\n{between}", f"{p50}\n{size}", verdict])
    return rows


def _named(
    result: SearchResult, points: list[FrontierPoint], *, own: bool
) -> list[tuple[str, FrontierPoint, Standing]]:
    rows: list[tuple[str, FrontierPoint, Standing]] = []
    if own:
        rows.append((f"{result.model.name}, the model", result.model_point, "reference"))
    return [*rows, *((_name(p), p, STANDINGS.get(p.verdict, "unverified")) for p in points)]
