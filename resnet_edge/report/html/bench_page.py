"""What `bench` found, as one HTML file with everything in it, in the style of the convert report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.report import words
from resnet_edge.report.bench_words import explained, limit_words, name_of, shared_model
from resnet_edge.report.charts import dot_plot, svg
from resnet_edge.report.charts.bench_chart import (
    Palette,
    accuracy_chart,
    latency_plot,
    limit_plot,
    place_of,
    sure,
    tested_on,
)
from resnet_edge.report.html.accuracy_figure import accuracy_section
from resnet_edge.report.html.bench_layer_section import layer_section
from resnet_edge.report.html.elements import (
    document,
    facts,
    figure,
    head,
    listing,
    over,
    reasons,
    safe,
    section,
    shell,
    table,
)

HEADER = (
    *("Artifact", "p50, ms", "p90", "p99", "× best", "Images/s", "Limit", "Open", "First"),
    *("Memory", "Rank"),
)


class _Seen(NamedTuple):
    """The rows, fastest first, the model that all are of (or ""), and how they are drawn."""

    rows: list[Timing]
    model: str
    palette: Palette


def bench_page(found: Bench) -> str:
    """The whole page. Every string from outside is escaped."""
    seen = _Seen(
        sorted(found.rows, key=lambda row: row.p50_ms), shared_model(found.rows), Palette(found.rows)
    )
    title = _title(found, seen)
    sections = [
        _head(found, seen, title),
        _latency(seen),
        accuracy_section(accuracy_chart(found, seen.model), tested_on(found)),
        _table(found, seen),
        _limits(found, seen),
        layer_section(found, seen.rows, seen.model),
        section("What holds artifacts back", listing(found.notes)) if found.notes else "",
        reasons("Figures that may not come out so again", _unsure(seen.rows)),
        reasons("What could not be timed", [(_where(f), [f.message]) for f in found.failures]),
        reasons("Not timed, and not asked for", [(_where(f), [f.message]) for f in found.unopened]),
        section("Machine and versions", facts(_machine(found))),
        section("How to repeat it", shell(words.printable(found.command))) if found.command else "",
    ]
    return document(f"{title}: bench", sections)


def _title(found: Bench, seen: _Seen) -> str:
    files = len({row.artifact for row in found.rows})
    return f"Latency of {seen.model or words.count(files, 'artifact')}"


def _head(found: Bench, seen: _Seen, title: str) -> str:
    by = f"resnet-edge {found.resnet_edge} · bench"
    if not seen.rows:
        return head(by, title, "failed", "failed", "Nothing could be timed.")
    unsure = sum(not sure(row) for row in seen.rows)
    word, css = ("inconclusive", "inconclusive") if unsure else ("steady", "passed")
    if found.failures:
        word = css = "incomplete"
    told = [_fastest(seen)]
    told.append(
        f"{unsure} of {words.count(len(seen.rows), 'figure')} may not come out so again."
        if unsure
        else "Every figure holds when repeated."
    )
    if found.failures:
        told.append(f"{words.count(len(found.failures), 'thing')} could not be timed.")
    return head(by, title, css, word, " ".join(told))


def _fastest(seen: _Seen) -> str:
    best = seen.rows[0]
    number, between = words.estimate(best.p50_ms, best.p50_ci95_ms, words.milliseconds)
    told = f"Fastest: {name_of(best, seen.model)} on {place_of(best)}, {number} ms {between}".rstrip()
    others = sum(row.rank == best.rank for row in seen.rows) - 1
    return (
        f"{told}; {words.count(others, 'other row')} cannot be told apart from it." if others else f"{told}."
    )


def _latency(seen: _Seen) -> str:
    if not seen.rows:
        return ""
    found = latency_plot(seen.rows, seen.model, seen.palette)
    keys = [
        *((svg.legend_marker(n), place) for n, place in enumerate(seen.palette.places)),
        *((svg.legend_marker(css=svg.colour(n)), name) for n, name in enumerate(seen.palette.schemes)),
    ]
    if not all(map(sure, seen.rows)):
        keys.append((svg.legend_marker(css="ink hollow"), "may not come out so again"))
    caption = (
        "To the left is faster. Whiskers: 95 % interval of the median. Rows of one rank cannot be told apart."
    )
    return section("Latency", figure(keys, dot_plot.both(found), caption))


def _table(found: Bench, seen: _Seen) -> str:
    if not seen.rows:
        return ""
    body = [_cells(row, seen.model) for row in seen.rows]
    below = listing([line for line in explained(found, seen.rows) if line not in limit_words(found.ceilings)])
    return section("Results", table(HEADER, body, range(1, len(HEADER))) + below)


def _cells(row: Timing, model: str) -> list[str]:
    return [
        over(safe(name_of(row, model)), safe(place_of(row))),
        over(*words.estimate(row.p50_ms, row.p50_ci95_ms, words.milliseconds)),
        words.milliseconds(row.p90_ms),
        words.milliseconds(row.p99_ms),
        over(*words.estimate(row.times_fastest, row.times_fastest_ci95, words.speed_up)),
        f"{row.per_second:,.0f}" if words.finite(row.per_second) else words.ABSENT,
        words.ABSENT if row.roofline is None else f"{row.roofline.share:.0%}",
        words.milliseconds(row.cold.open_ms),
        words.milliseconds(row.cold.first_ms),
        words.ABSENT if row.cold.peak_bytes is None else words.size(row.cold.peak_bytes),
        f"{row.rank}{'' if sure(row) else '?'}",
    ]


def _limits(found: Bench, seen: _Seen) -> str:
    drawn = limit_plot(seen.rows, seen.model, seen.palette)
    if drawn is None:
        return ""
    caption = " ".join(limit_words(found.ceilings))
    return section("How near to the limit", figure([], dot_plot.both(drawn), caption))


def _unsure(rows: Sequence[Timing]) -> list[tuple[str, list[str]]]:
    """What all of them share is told once."""
    if not rows:
        return []
    shared = set.intersection(*(set(row.reasons) for row in rows))
    told = [("All", sorted(shared))] if shared else []
    for row in rows:
        own = [reason for reason in row.reasons if reason not in shared]
        told += [(f"{row.artifact} on {place_of(row)}", own)] if own else []
    return told


def _where(found: object) -> str:
    artifact, backend, device = (getattr(found, name) for name in ("artifact", "backend", "device"))
    return f"{artifact} on {backend} {device}" if artifact else f"{backend} {device}".strip()


def _machine(found: Bench) -> list[tuple[str, str]]:
    quiet = found.quiet
    return [
        *((key, words.plain(value)) for key, value in found.machine.items()),
        *([("cores that others kept busy", f"{quiet.others:.2f}")] if quiet.others is not None else []),
        ("pace of the slowest quarter", words.speed_up(quiet.slowest_quarter)),
        ("resnet-edge", found.resnet_edge),
        *found.versions.items(),
    ]
