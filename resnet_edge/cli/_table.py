"""The result of a run as one table on stdout, for people.

Three layouts, the widest that fits: one line a row; two lines a row; a block a row. Numbers
are never cut, names fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from resnet_edge.cli._grid import fitting_grid, print_doubts, spelled, stdout_console
from resnet_edge.cli._lineage import print_lineage
from resnet_edge.core.results.report import Report
from resnet_edge.report import summary, words
from resnet_edge.report.rows import WORDS, Row, Standing, conditions, rows, target

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES: dict[Standing, str] = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "yellow",
    "unverified": "yellow",
    "reference": "dim",
}


def print_table(report: Report, width: int | None = None, above: Collection[str] = ()) -> None:
    """Print what speaks against the model itself, the lineage, the table, what did not pass and what could
    not be done, notes, the verdict.

    `width` in columns; None takes the terminal's, or 120 where stdout is
    no terminal; there the text is plain. `above`: lines that the reader has seen already, which are not
    printed again.
    """
    console = stdout_console(width)
    print_doubts(console, report.doubts)
    print_lineage(report, console)
    results = rows(report)
    if results:
        _results(report, results, console)
    _reasons(report, console, above)
    _verdict(report, console)


def _results(report: Report, results: tuple[Row, ...], console: Console) -> None:
    for layout, name_at_least in ((_one_line, 40), (_two_lines, 26)):
        headers, body = layout(report, results)
        lines = [[_spelled_lines(console, cell) for cell in cells] for cells in body]
        styles = [_STYLES[row.standing] for row in results]
        if fitting_grid(console, headers, lines, {"Backend", "Verdict"}, name_at_least, styles):
            break
    else:
        _blocks(report, results, console)
    if conditions(report):
        note = f"Drop in percentage points; p50: median latency of one call, {conditions(report)}."
        console.print(_text(console, note, "dim"))


def _text(console: Console, text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(spelled(console, text), style=style, overflow="fold")


def _spelled_lines(console: Console, text: str) -> str:
    return "\n".join(spelled(console, line) for line in text.split("\n"))


def _one_line(report: Report, results: tuple[Row, ...]) -> tuple[list[str], list[list[str]]]:
    headers = [
        "Artifact",
        "Size",
        "Backend",
        "Top-1",
        "Drop [95 %]",
        "Agree",
        "p50, ms",
        "vs fp32",
        "Verdict",
    ]
    body = []
    for name, row in _named(results):
        drop = " ".join(_drop(row)).strip()
        cells = [
            name,
            _size(row),
            target(report, row),
            _top1(row),
            drop,
            _agreement(row),
            _p50(row),
            _speed_up(row),
        ]
        body.append([*cells, WORDS[row.standing]])
    return headers, body


def _two_lines(report: Report, results: tuple[Row, ...]) -> tuple[list[str], list[list[str]]]:
    headers = ["Artifact\n  size, backend", "Top-1\nagree", "Drop\n[95 %]", "p50, ms\nvs fp32", "Verdict"]
    body = [
        [
            f"{words.printable(row.file)}\n  {_size(row)}, {target(report, row)}",
            f"{_top1(row)}\n{_agreement(row)}",
            "\n".join(_drop(row)),
            f"{_p50(row)}\n{_speed_up(row)}",
            WORDS[row.standing],
        ]
        for row in results
    ]
    return headers, body


def _blocks(report: Report, results: tuple[Row, ...], console: Console) -> None:
    for row in results:
        console.print(_text(console, row.file, "bold"))
        facts = (
            ("backend", target(report, row)),
            ("size", _size(row)),
            ("top-1", _top1(row)),
            ("drop", " ".join(_drop(row)).strip()),
            ("agreement", _agreement(row)),
            ("p50, ms", _p50(row)),
            ("vs fp32", _speed_up(row)),
            ("verdict", WORDS[row.standing]),
        )
        for label, value in facts:
            if value != words.ABSENT:
                console.print(
                    _text(
                        console, f"  {label:<10} {value}", _STYLES[row.standing] if label == "verdict" else ""
                    )
                )


def _named(results: tuple[Row, ...]) -> Iterable[tuple[str, Row]]:
    """Each row with its file name, told once where a file has several rows."""
    before = None
    for row in results:
        yield ("" if row.file == before else row.file), row
        before = row.file


def _size(row: Row) -> str:
    return words.size(row.artifact.size_bytes) if row.artifact else words.ABSENT


def _top1(row: Row) -> str:
    return words.percent(row.parity.top1, row.parity.n) if row.parity else words.ABSENT


def _agreement(row: Row) -> str:
    return words.percent(row.parity.agreement, row.parity.n) if row.parity else words.ABSENT


def _drop(row: Row) -> tuple[str, str]:
    if row.parity is None:
        return words.ABSENT, ""
    return words.estimate(row.parity.drop_pp, row.parity.drop_ci95_pp, words.points)


def _p50(row: Row) -> str:
    return words.milliseconds(row.latency.p50_ms) if row.latency else words.ABSENT


def _speed_up(row: Row) -> str:
    return words.speed_up(row.latency.vs_fp32) if row.latency else words.ABSENT


def _reasons(report: Report, console: Console, above: Collection[str]) -> None:
    troubles = [
        *summary.troubles(report),
        *((failure.what, [failure.message]) for failure in report.failures),
    ]
    for what, reasons in troubles:
        console.print()
        console.print(_text(console, what, "bold"))
        for reason in reasons:
            _indented(console, reason)
    console.print()
    notes = [line for note in report.notes if (line := f"note: {note}") not in above]
    for line in notes:
        console.print(_text(console, line, "dim"))
    if notes:
        console.print()


def _indented(console: Console, text: str) -> None:
    from rich.padding import Padding

    console.print(Padding(_text(console, text), (0, 0, 0, 2), expand=False))


def _verdict(report: Report, console: Console) -> None:
    from rich.text import Text

    verdict = summary.verdict(report)
    style = {"passed": "bold green", "failed": "bold red"}.get(verdict.word, "bold yellow")
    console.print(Text.assemble((verdict.word.upper(), style), ". ", spelled(console, verdict.sentence)))
