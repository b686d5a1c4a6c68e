"""The report of `search`, section by section."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_edge.core.results.doubt import open_doubts
from resnet_edge.core.results.search import FrontierPoint, Screened, SearchResult
from resnet_edge.report import words
from resnet_edge.report.blocks import (
    Block,
    Bullets,
    Cell,
    Document,
    Entry,
    Facts,
    Figure,
    Item,
    Outcome,
    Paragraph,
    Shell,
    Tag,
    TextTable,
    bullets,
    sections,
)
from resnet_edge.report.charts import scatter_plot, svg
from resnet_edge.report.charts.accuracy_latency import Chart
from resnet_edge.report.charts.scheme_colours import scheme_colour
from resnet_edge.report.charts.search_chart import SHAPES, STANDINGS, latency_chart, shape, size_chart
from resnet_edge.report.doubted import doubted
from resnet_edge.report.rows import WORDS, Standing
from resnet_edge.report.search_words import (
    LEFT,
    equal_words,
    figures_of,
    limits,
    right_title,
    trial_counts,
    unproved_for,
    why_left,
)

HEADER = ("Drop, pp", "p50, ms", "Size", "Download", "MACs", "Verdict")


def search_document(result: SearchResult) -> Document:
    """The whole report, for every writer."""
    outcome, word = _outcome(result)
    return Document(
        name=f"Frontier of {result.model.name}",
        kind="search",
        version=result.resnet_edge,
        outcome=outcome,
        word=word,
        sentence=conclusion(result),
        sections=sections(SECTIONS, result),
        why=(*doubted(open_doubts(result.doubts)), *_unproved(result)),
    )


def _unproved(result: SearchResult) -> Iterator[str]:
    for point in result.points:
        if point.verdict != "pass":
            yield f"Point {point.number}: {unproved_for(point)}"


def _outcome(result: SearchResult) -> tuple[Outcome, str]:
    verdicts = {point.verdict for point in result.points}
    if not result.points:
        return "incomplete", "nothing feasible"
    if "fail" in verdicts:
        return "failed", "failed"
    proved = verdicts == {"pass"} and not open_doubts(result.doubts)
    return ("passed", "proved") if proved else ("inconclusive", "inconclusive")


def conclusion(result: SearchResult) -> str:
    """What came of it, in a sentence or two."""
    shown = f"{words.count(len(result.points), 'point')} of {words.count(result.candidates, 'candidate')} "
    knee = next((point for point in result.points if point.knee), None)
    if knee is None:
        return f"{shown}on the frontier."
    made_by = f"point {knee.number} ({knee.configuration.words})"
    return f"{shown}on the frontier. The knee is {made_by}: {against(result, knee)}."


def against(result: SearchResult, point: FrontierPoint) -> str:
    """A point against the model's own file: how much smaller, faster and worse."""
    own = result.model_point
    parts = [f"{words.times(own.size_bytes / point.size_bytes)} smaller"]
    if own.p50_ms is not None and point.p50_ms is not None:
        parts.append(f"{words.times(own.p50_ms / point.p50_ms)} faster")
    drop = f"a drop of {words.points(point.drop_pp)} pp {words.interval(point.drop_ci95_pp)}"
    return f"{', '.join(parts)} than the model, with {drop}"


def _latency(result: SearchResult) -> Iterator[Block]:
    yield from _picture(result, latency_chart(result), "faster")


def _size(result: SearchResult) -> Iterator[Block]:
    yield from _picture(result, size_chart(result), "smaller")


def _picture(result: SearchResult, chart: Chart | None, left: str) -> Iterator[Block]:
    if chart is not None:
        drawn = scatter_plot.picture(chart, scatter_plot.WIDE, "plot wide")
        drawn += scatter_plot.picture(chart, scatter_plot.NARROW, "plot narrow")
        yield Figure(drawn, _legend(result, chart), _caption(chart, left))


def _legend(result: SearchResult, chart: Chart) -> list[tuple[str, str]]:
    used = {shape(point.configuration) for point in result.points}
    keys = [(svg.legend_marker(number), SHAPES[number]) for number in sorted(used)]
    keys += [(svg.legend_marker(css=svg.colour(scheme_colour(name))), name) for name in chart.schemes]
    if any(point.verdict != "pass" for point in result.points):
        keys.append((svg.legend_marker(css="ink hollow"), "not proved"))
    keys.append((svg.legend_line(), f"{result.model.name}, the model"))
    if chart.permitted is not None:
        keys.append((svg.legend_band(), f"permitted drop, {result.limits['max_drop_pp']:g} pp"))
    return keys


def _caption(chart: Chart, what: str) -> str:
    dots = " Small dots are trials that left, by what was known of them then; the lowest lie below the axis."
    return (
        f"Up is more accurate, to the left is {what}. Whiskers: 95 % intervals, of accuracy paired with the "
        f"model on the same images.{dots if chart.dots else ''}"
    )


def _results(result: SearchResult) -> Iterator[Block]:
    if not result.points:
        return
    shown = sorted(result.points, key=lambda point: (point.drop_pp, point.number))
    yield TextTable(
        ("Point", right_title(result), *HEADER),
        (
            _row(result.model_point, result.model.name, "the model itself", "reference"),
            *map(_point_row, shown),
        ),
        range(1, len(HEADER) + 1),
    )
    yield from bullets(equal_words(result))
    yield Paragraph(figures_of(result))


def _point_row(point: FrontierPoint) -> tuple[Cell, ...]:
    knee = " (knee)" if point.knee else ""
    standing = STANDINGS.get(point.verdict, "unverified")
    return _row(point, f"{point.number}{knee}", point.configuration.words, standing)


def _row(point: FrontierPoint, name: str, what: str, standing: Standing) -> tuple[Cell, ...]:
    return (
        (name, what),
        words.estimate(point.top1, point.top1_ci95, lambda value: words.percent(value, point.n)),
        words.estimate(point.drop_pp, point.drop_ci95_pp, words.points),
        words.estimate(point.p50_ms, point.p50_ci95_ms, words.milliseconds),
        words.size(point.size_bytes),
        words.size(point.download_bytes),
        words.quantity(point.macs),
        Tag(WORDS[standing], standing),
    )


def _commands(result: SearchResult) -> Iterator[Block]:
    for point in result.points:
        if point.commands:
            where = f"{point.configuration.words}. Its files are in {point.folder}."
            yield Bullets([Item(label=f"Point {point.number}", text=where)])
            yield Shell("\n".join(map(words.printable, point.commands)))


def _left(result: SearchResult) -> Iterator[Block]:
    staying = {point.number for point in result.points}
    gone = [trial for trial in result.trials if trial.number not in staying]
    if gone:
        yield Paragraph(f"{trial_counts(result)}.")
        yield TextTable(
            ("Trial", "Why it left", "Images", "Drop, pp", "Latency, × model", "Size"),
            tuple(map(_left_row, gone)),
            range(2, 6),
        )


def _left_row(trial: Screened) -> tuple[Cell, ...]:
    return (
        (str(trial.number), trial.configuration.words),
        (LEFT[trial.state], "" if why_left(trial) == LEFT[trial.state] else why_left(trial)),
        f"{trial.n:,}" if trial.n else words.ABSENT,
        words.estimate(trial.drop_pp, trial.drop_ci95_pp, words.points),
        words.estimate(trial.latency_ratio, trial.latency_ratio_ci95, words.speed_up),
        words.ABSENT if trial.size_bytes is None else words.size(trial.size_bytes),
    )


def _how(result: SearchResult) -> Iterator[Block]:
    yield Facts(
        [
            ("objectives", ", ".join(result.objectives)),
            ("limits", limits(result) or "none"),
            ("backend", result.backend),
            (
                "chosen on",
                f"{words.count(result.searched_on, 'image')} of {words.plain(result.data.get('source'))}",
            ),
            ("figures on", f"{words.count(result.held_out, 'image')} that no trial saw"),
            ("no difference to you", f"{result.equal_within_pp:g} pp"),
            ("seed", str(result.seed)),
            ("study", result.study),
        ]
    )


def _space(result: SearchResult) -> Iterator[Block]:
    yield Facts([(name, _values(values)) for name, values in result.space.items()])


def _values(values: tuple[object, ...]) -> str:
    return ", ".join("as the model" if value is None else _value(value) for value in values)


def _value(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple | list) else words.plain(value)


def _notes(result: SearchResult) -> Iterator[Block]:
    yield from bullets((*doubted(result.doubts), *result.notes))


def _machine(result: SearchResult) -> Iterator[Block]:
    yield Facts(
        [
            *((key, words.plain(value)) for key, value in result.machine.items() if key != "command"),
            ("resnet-edge", result.resnet_edge),
            *result.versions.items(),
        ]
    )


def _repeat(result: SearchResult) -> Iterator[Block]:
    if command := result.machine.get("command"):
        yield Shell(words.printable(str(command)))


SECTIONS: tuple[Entry[SearchResult], ...] = (
    Entry("latency", "Accuracy against latency", _latency),
    Entry("size", "Accuracy against size", _size),
    Entry("points", "Points", _results),
    Entry("commands", "How to make each point", _commands),
    Entry("notes", "Notes", _notes),
    Entry("how", "How it was searched", _how),
    Entry("space", "The choices", _space),
    Entry("left", "Trials that left", _left),
    Entry("machine", "Machine and versions", _machine),
    Entry("repeat", "How to repeat it", _repeat),
)
