"""Why not all is well, in the first lines of a report."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.report.few_images import unsaid
from resnet_edge.report.grouped import grouped, names

MOST = 3
"""Lines; the sections below have all."""
NONE = ("no reason was recorded",)


def first_reasons(result: Report | Verification) -> tuple[str, ...]:
    """What could not be done, then what failed, then what is open for another reason than the number of
    images (which the verdict says), each with the first of its reasons. Doubts of the reference have the
    first section."""
    open_rows = unsaid(result.parity, result.max_drop_pp)
    failed = [row for row in open_rows if row.verdict == "fail"]
    lines = [f"{each.what}: {each.message}" for each in result.failures]
    for rows in (failed, [row for row in open_rows if row.verdict != "fail"]):
        first = (replace(row, reasons=row.reasons[:1] or NONE) for row in rows)
        lines += [f"{_short(alike)}: {reason}" for alike, (reason,) in grouped(first)]
    rest = len(lines) - MOST
    return (*lines[:MOST], f"{rest} more below") if rest > 1 else tuple(lines)


def _short(rows: list[Parity]) -> str:
    return names(rows) if len(rows) <= 2 else f"{names(rows[:1])} and {len(rows) - 1} more"
