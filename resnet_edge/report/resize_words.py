"""What the resize of platforms does to a model's answers: a table of words, and warnings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.resize_check import ResizeCheck, ResizeRow
from resnet_edge.report import words
from resnet_edge.report.image_words import sentence

HEADER = ("Resize of", "Pixels\nmean, max", "Other\nanswers", "Top-1, pp\n[95 %]")


def resize_rows(check: ResizeCheck) -> list[list[str]]:
    """A row for each platform, in the order of HEADER; lines within a cell are parted by line breaks."""
    return [
        [
            row.platform,
            f"{row.mean_abs:.1f}\n{row.max_abs}",
            f"{words.percent(row.changed / check.n, check.n)}\n{row.changed:,} of {check.n:,}",
            "\n".join(words.estimate(row.change_pp, row.change_ci95_pp, words.points)).rstrip(),
        ]
        for row in check.rows
    ]


def resize_warnings(check: ResizeCheck) -> list[str]:
    """A sentence for each platform that gets another answer for a photo, the worst first."""
    moved = sorted((row for row in check.rows if row.changed), key=lambda row: -row.changed)
    return [_warning(row, check) for row in moved]


def _warning(row: ResizeRow, check: ResizeCheck) -> str:
    change, better = "", False
    if row.change_pp is not None and row.change_ci95_pp is not None:
        better = row.change_ci95_pp[0] > 0
        change = f", top-1 {words.points(row.change_pp)} pp {words.interval(row.change_ci95_pp)}"
    fix = "resize with the code in the bundle first"
    if better:
        name = words.printable(check.contract.name)
        fix = f"it does better than {name}: if the training did not resize as {name} does, name what it did"
    share = words.percent(row.changed / check.n, check.n)
    return (
        f"{row.platform}: {row.users} {row.how}: {share} of {words.count(check.n, 'photo')} get another "
        f"answer{change}: {fix}"
    )


def resize_sentences(check: ResizeCheck) -> list[str]:
    """What the table does not say, in sentences."""
    source = words.printable(check.source)
    if not check.resized:
        return [
            f"{words.count(check.n, 'image')} from {source} have the {check.contract.width}x"
            f"{check.contract.height} pixels that {words.printable(check.file)} takes: nothing resizes them, "
            "and there is nothing to warn of. Give a folder of photos as a camera takes them.",
            *check.notes,
        ]
    top1 = f", top-1 {words.percent(check.top1, check.n)}" if check.top1 is not None else ""
    resize = f"{words.printable(check.contract.name)} ({sentence(check.contract)})"
    lines = [
        f"{words.printable(check.file)} on {words.count(check.n, 'photo')} from {source}, {check.resized:,} "
        f"of them of another size. Against {resize}"
        f"{top1}."
    ]
    if not any(row.changed for row in check.rows):
        most = 100 * wilson(0, check.n)[1]
        lines.append(f"No resize changes an answer; that of at most {most:.2g} % of such photos does (95 %).")
    return [*lines, *check.notes, *(f"Not known: {one}" for one in check.unknown)]


def resize_document(check: ResizeCheck) -> dict[str, Any]:
    """The check as JSON values, with its warnings."""
    return {**asdict(check), "warnings": resize_warnings(check)}
