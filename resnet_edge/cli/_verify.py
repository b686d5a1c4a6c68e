"""What `verify` prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resnet_edge.cli._grid import (
    fitting_grid,
    print_doubts,
    print_grid,
    print_line,
    spelled,
    stdout_console,
)
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.verification import Verification
from resnet_edge.report.causes import causes_sentences
from resnet_edge.report.few_images import unsaid
from resnet_edge.report.grouped import grouped, names
from resnet_edge.report.integers import risk_sentences
from resnet_edge.report.lint import lint_lines
from resnet_edge.report.verify_words import verdict
from resnet_edge.report.words import percent

if TYPE_CHECKING:
    from rich.console import Console


def print_verification(verification: Verification, width: int | None = None) -> None:
    """A row for each artifact and backend, then what is wrong and where, then the verdict. `width` in
    columns; None takes the terminal's."""
    console = stdout_console(width)
    print_doubts(console, verification.doubts)
    if verification.parity:
        _rows(console, verification)
        console.print()
    _reasons(console, verification)
    for line in causes_sentences(verification.attributions):
        print_line(console, line)
    for how, line in lint_lines(verification.calibration_lint):
        print_line(console, f"{how} in the calibration: {line}")
    for note in (*verification.notes, *risk_sentences(verification.int8_risks)):
        print_line(console, f"note: {note}", "dim")
    word, sentence = verdict(verification)
    print_line(console, f"{word}. {sentence}")


def _rows(console: Console, verification: Verification) -> None:
    """One line a row where that fits, else two."""
    schemes = {artifact.path: artifact.scheme for artifact in verification.artifacts}
    by_name = {Path(path).name: scheme for path, scheme in schemes.items()} | schemes
    header = ["Artifact", "Backend", "Scheme", "Top-1", "Drop, pp [95 %]", "Agree", "SQNR", "Verdict"]
    body = [
        [spelled(console, cell) for cell in _cells(row, by_name.get(row.artifact, ""))]
        for row in verification.parity
    ]
    if verification.sequential is not None:
        header.insert(3, "Images")
        for cells, row in zip(body, verification.parity, strict=True):
            cells.insert(3, f"{row.n:,}")
    left = ("Backend", "Scheme", "Verdict")
    if fitting_grid(console, header, body, left):
        return
    if verification.sequential is None:
        two = ["Artifact\n  backend", "Top-1\nagree", "Drop, pp\n[95 %]", "SQNR", "Verdict"]
        if fitting_grid(console, two, [_two_lines(cells) for cells in body], left):
            return
    print_grid(console, header, body, left=left)


def _two_lines(cells: list[str]) -> list[str]:
    """The cells of one line as those of two; the name of a file mostly tells its scheme."""
    artifact, backend, _, top1, drop, agree, sqnr, verdict = cells
    number, _, interval = drop.partition(" ")
    return [f"{artifact}\n  {backend}", f"{top1}\n{agree}", f"{number}\n{interval}", sqnr, verdict]


def _cells(row: Parity, scheme: str) -> list[str]:
    drop = ""
    if row.drop_pp is not None and row.drop_ci95_pp is not None:
        low, high = row.drop_ci95_pp
        drop = f"{row.drop_pp:.2f} [{low:.2f}, {high:.2f}]"
    return [
        row.artifact,
        f"{row.backend} {row.device}",
        scheme,
        percent(row.top1, row.n),
        drop,
        percent(row.agreement, row.n),
        "" if row.sqnr_db is None else f"{row.sqnr_db:.1f} dB",
        row.verdict,
    ]


def _reasons(console: Console, verification: Verification) -> None:
    for rows, reasons in grouped(unsaid(verification.parity, verification.max_drop_pp)):
        print_line(console, f"{names(rows)}: {reasons[0]}")
    for explanation in verification.explanations:
        for finding in explanation.findings:
            print_line(console, f"{explanation.artifact}: {finding.sentence}")
        for remark in explanation.remarks:
            print_line(console, f"note: {explanation.artifact}: {remark}", "dim")
    for failure in verification.failures:
        print_line(console, f"{failure.what}: {failure.message}")
