"""The report of `bench`, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from resnet_edge.core.results.bench import Bench, Failed, Timing, Unopened
from resnet_edge.report import words
from resnet_edge.report.bench_layer_section import layer_blocks
from resnet_edge.report.bench_words import answer, explained, limit_words, name_of, shared_model
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
    Section,
    Shell,
    TextTable,
    bullets,
    sections,
)
from resnet_edge.report.charts import dot_plot, svg
from resnet_edge.report.charts.accuracy_figure import accuracy_blocks, accuracy_title
from resnet_edge.report.charts.bench_chart import (
    Palette,
    accuracy_chart,
    latency_plot,
    limit_plot,
    place_of,
    sure,
    tested_on,
)
from resnet_edge.report.charts.scheme_colours import scheme_colour

HEADER = (
    *("Artifact", "p50, ms", "p90", "p99", "× best", "Images/s", "Limit", "Open", "First"),
    *("Memory", "Rank"),
)


class _View(NamedTuple):
    """A bench; its rows, fastest first, the model that all are of (or ""), and how they are drawn."""

    bench: Bench
    rows: list[Timing]
    model: str
    palette: Palette


def bench_document(bench: Bench) -> Document:
    """The whole report, for every writer."""
    rows = sorted(bench.rows, key=lambda row: row.p50_ms)
    view = _View(bench, rows, shared_model(bench.rows), Palette(bench.rows))
    files = len({row.artifact for row in bench.rows})
    outcome, word = _outcome(view)
    return Document(
        name=f"Latency of {view.model or words.count(files, 'artifact')}",
        kind="bench",
        version=bench.resnet_edge,
        outcome=outcome,
        word=word,
        sentence=_sentence(view),
        sections=tuple(_by_machine(bench)),
    )


def _by_machine(bench: Bench) -> Iterator[Section]:
    """The sections of each machine that was timed; titles name it where there is another than this one."""
    for host, part in bench.by_machine().items():
        rows = sorted(part.rows, key=lambda row: row.p50_ms)
        view = _View(part, rows, shared_model(bench.rows), Palette(bench.rows))
        for section in sections(SECTIONS, view):
            if not bench.hosts:
                yield section
            elif host or section.anchor != "repeat":
                where = f"on {host}" if host else "here"
                yield Section(
                    f"{section.anchor}-{host}" if host else section.anchor,
                    f"{section.title}, {where}",
                    section.blocks,
                )


def _outcome(view: _View) -> tuple[Outcome, str]:
    if not view.rows:
        return "failed", "failed"
    if view.bench.failures:
        return "incomplete", "incomplete"
    return ("passed", "steady") if all(map(sure, view.rows)) else ("inconclusive", "inconclusive")


def _sentence(view: _View) -> str:
    if not view.rows:
        return "Nothing could be timed."
    unsure, failures = sum(not sure(row) for row in view.rows), len(view.bench.failures)
    repeats = (
        f"{unsure} of {words.count(len(view.rows), 'figure')} may not be repeatable."
        if unsure
        else "Every figure holds when repeated."
    )
    lost = f" {words.count(failures, 'thing')} could not be timed." if failures else ""
    ship = " ".join(answer(view.bench)) + " " if view.bench.recommended else ""
    return f"{ship}{_fastest(view)} {repeats}{lost}"


def _fastest(view: _View) -> str:
    best = view.rows[0]
    number, between = words.estimate(best.p50_ms, best.p50_ci95_ms, words.milliseconds)
    fastest = f"Fastest: {name_of(best, view.model)} on {place_of(best)}, {number} ms {between}".rstrip()
    others = sum(row.rank == best.rank for row in view.rows) - 1
    if not others:
        return f"{fastest}."
    return f"{fastest}; {words.count(others, 'other row')} cannot be told apart from it."


def _latency(view: _View) -> Iterator[Block]:
    if not view.rows:
        return
    keys = [
        *((svg.legend_marker(n), place) for n, place in enumerate(view.palette.places)),
        *((svg.legend_marker(css=svg.colour(scheme_colour(s))), s) for s in view.palette.schemes),
    ]
    if not all(map(sure, view.rows)):
        keys.append((svg.legend_marker(css="ink hollow"), "may not be repeatable"))
    caption = (
        "To the left is faster. Whiskers: 95 % interval of the median. Rows of one rank cannot be told apart."
    )
    yield Figure(dot_plot.both(latency_plot(view.rows, view.model, view.palette)), keys, caption)


def _results(view: _View) -> Iterator[Block]:
    if view.rows:
        body = tuple(_cells(row, view.model) for row in view.rows)
        yield TextTable(HEADER, body, range(1, len(HEADER)), names=range(1))
        limits = limit_words(view.bench.ceilings)
        yield Bullets([line for line in explained(view.bench, view.rows) if line not in limits])


def _cells(row: Timing, model: str) -> tuple[Cell, ...]:
    return (
        (name_of(row, model), place_of(row)),
        words.estimate(row.p50_ms, row.p50_ci95_ms, words.milliseconds),
        words.milliseconds(row.p90_ms),
        words.milliseconds(row.p99_ms),
        words.estimate(row.times_fastest, row.times_fastest_ci95, words.speed_up),
        f"{row.per_second:,.0f}" if words.finite(row.per_second) else words.ABSENT,
        words.ABSENT if row.roofline is None else f"{row.roofline.share:.0%}",
        words.milliseconds(row.cold.open_ms),
        words.milliseconds(row.cold.first_ms),
        words.ABSENT if row.cold.peak_bytes is None else words.size(row.cold.peak_bytes),
        f"{row.rank}{'' if sure(row) else '?'}",
    )


def _limits(view: _View) -> Iterator[Block]:
    if drawn := limit_plot(view.rows, view.model, view.palette):
        yield Figure(dot_plot.both(drawn), caption=" ".join(limit_words(view.bench.ceilings)))


def _unsure(view: _View) -> list[Bullets]:
    """What all of them share is told once."""
    if not view.rows:
        return []
    shared = set.intersection(*(set(row.reasons) for row in view.rows))
    items = [Item(label="All", below=sorted(shared))] if shared else []
    for row in view.rows:
        own = [reason for reason in row.reasons if reason not in shared]
        items += [Item(label=f"{row.artifact} on {place_of(row)}", below=own)] if own else []
    return bullets(items)


def _left_out(contenders: Sequence[Failed | Unopened]) -> list[Bullets]:
    return bullets([Item(label=_where(each), text=each.message) for each in contenders])


def _where(contender: Failed | Unopened) -> str:
    if not contender.artifact:
        return f"{contender.backend} {contender.device}".strip()
    return f"{contender.artifact} on {contender.backend} {contender.device}"


def _machine(view: _View) -> Iterator[Block]:
    bench, quiet = view.bench, view.bench.quiet
    busy = [] if quiet.others is None else [("cores that others kept busy", f"{quiet.others:.2f}")]
    yield Facts(
        [
            *((key, words.plain(value)) for key, value in bench.machine.items()),
            *busy,
            ("pace of the slowest quarter", words.speed_up(quiet.slowest_quarter)),
            *_before_and_after("clock", quiet.clock_mhz, "MHz"),
            *_before_and_after("hottest sensor", quiet.celsius, "°C"),
            ("resnet-edge", bench.resnet_edge),
            *bench.versions.items(),
        ]
    )


def _before_and_after(
    name: str, pair: tuple[float | None, float | None], unit: str
) -> Iterator[tuple[str, str]]:
    before, after = pair
    if before is not None and after is not None:
        yield name, f"{before:,.0f} {unit} before the rounds, {after:,.0f} {unit} after them"


def _repeat(view: _View) -> Iterator[Block]:
    if view.bench.command:
        yield Shell(words.printable(view.bench.command))


SECTIONS: tuple[Entry[_View], ...] = (
    Entry("latency", "Latency", _latency),
    Entry(
        "accuracy",
        lambda view: accuracy_title(accuracy_chart(view.bench, view.model)),
        lambda view: accuracy_blocks(accuracy_chart(view.bench, view.model), tested_on(view.bench)),
    ),
    Entry("results", "Results", _results),
    Entry("limits", "How near to the limit", _limits),
    Entry("layers", "Layer by layer", lambda view: layer_blocks(view.bench, view.rows, view.model)),
    Entry("hints", "What holds artifacts back", lambda view: bullets(view.bench.notes)),
    Entry("unsure", "Figures that may not be repeatable", _unsure),
    Entry("failures", "What could not be timed", lambda view: _left_out(view.bench.failures)),
    Entry("unopened", "Not timed, and not asked for", lambda view: _left_out(view.bench.unopened)),
    Entry("machine", "Machine and versions", _machine),
    Entry("repeat", "How to repeat it", _repeat),
)
