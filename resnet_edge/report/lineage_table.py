"""The model's lineage as a table of words, for every writer: what stands in it and what is said under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from resnet_edge.core.results.report import Report
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.report import words
from resnet_edge.report.blocks import Cell, TextTable, texts
from resnet_edge.report.lineage import LineageEntry, apart, entries, speed_up
from resnet_edge.report.rows import conditions


def lineage_table(report: Report) -> TextTable | None:
    """The table; None where nothing is known of what came before. Columns without a number are
    left out, and where all accuracies are of the same images, so is the column that names them."""
    if not report.history:
        return None
    lineage = entries(report)
    columns: list[tuple[str, Callable[[LineageEntry], Cell]]] = [
        ("Model", lambda entry: entry.title),
        ("Top-1", _top1),
        ("MACs", lambda entry: words.quantity(entry.macs)),
        ("Parameters", lambda entry: words.quantity(entry.parameters)),
        ("Size", lambda entry: _size(entry.size_bytes)),
        ("gzip", lambda entry: _size(entry.gzip_bytes)),
        ("Faster by", lambda entry: words.estimate(*entry.speed_up, words.speed_up)),
        ("p50, ms", lambda entry: words.estimate(entry.p50_ms, entry.p50_ci95_ms, words.milliseconds)),
    ]
    if apart(lineage):
        sets = _sets(lineage)
        columns.append(("Images", lambda entry: _set(sets, entry)))
    kept = [(title, [cell(entry) for entry in lineage]) for title, cell in columns]
    kept = [(title, cells) for title, cells in kept if any(texts(cell)[0] != words.ABSENT for cell in cells)]
    header, body = zip(*kept, strict=True)
    numbers = range(1, len(header) - apart(lineage))
    return TextTable(header, tuple(zip(*body, strict=True)), numbers)


def _top1(entry: LineageEntry) -> Cell:
    def bound(value: float | None) -> str:
        return words.percent(value, entry.n).removesuffix(" %")

    return words.percent(entry.top1, entry.n), words.interval(entry.top1_ci95, bound)


def _size(number: int | None) -> str:
    return words.ABSENT if number is None else words.size(number)


def _sets(lineage: Iterable[LineageEntry]) -> dict[str, str]:
    """The sets of images that accuracies were measured on, by `measured_on`, in order of use."""
    named: dict[str, str] = {}
    for entry in lineage:
        if entry.top1 is not None:
            named.setdefault(entry.measured_on, words.printable(entry.images))
    return named


def _set(sets: dict[str, str], entry: LineageEntry) -> str:
    """A number, because two sets may have the same name."""
    return words.ABSENT if entry.top1 is None else f"set {[*sets].index(entry.measured_on) + 1}"


def explained(report: Report) -> list[str]:
    """What the table does not say: on which images, and how latencies were compared."""
    names, lines = [*_sets(entries(report)).values()], []
    if len(names) == 1:
        lines.append(f"Top-1 with its 95 % interval, all of the same images: {names[0]}.")
    elif names:
        sets = "; ".join(f"set {number}: {name}" for number, name in enumerate(names, 1))
        lines.append(f"Top-1 can be compared only within one set of images: {sets}.")
    compared = [f"{step.step}: {_compared(latency)}." for step in report.history for latency in step.latency]
    if compared:
        lines += ["Faster by: the latency before a step over that after it, timed in alternation.", *compared]
    if conditions(report):
        lines.append(f"p50: median latency of one call in this run, {conditions(report)}.")
    return lines


def _compared(latency: StepLatency) -> str:
    number, between = words.estimate(*speed_up(latency), words.speed_up)
    where = f"{latency.scheme} {latency.format} on {latency.backend} {latency.device}"
    before, after = (words.milliseconds(value) for value in (latency.before_ms, latency.after_ms))
    threads = words.count(latency.threads, "thread")
    return words.printable(f"{where}, {threads}: {before} ms, then {after} ms, {number} {between}".strip())


def commands(report: Report) -> list[str]:
    """The command lines of the steps, in order, where they are known."""
    return [words.printable(step.command) for step in report.history if step.command]
