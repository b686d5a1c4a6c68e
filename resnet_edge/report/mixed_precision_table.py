"""The candidates of a plan as a table of words, for every writer, and what is said under it."""

from __future__ import annotations

from resnet_edge.core.results.mixed_precision import FloatCandidate, MixedPrecision
from resnet_edge.core.results.parity import Parity
from resnet_edge.report import words
from resnet_edge.report.blocks import Cell, Tag, TextTable
from resnet_edge.report.rows import WORDS

HEADER = ("Layers in float", "MACs in int8", "Size", "Drop, pp", "Agreement", "SQNR", "Verdict")
SHOWN = 12
"""Names of layers; report.json has all."""


def mixed_precision_table(plan: MixedPrecision) -> TextTable:
    """A row for each candidate, with the worst of its figures over all formats and backends."""
    body = tuple(_row(candidate, candidate is plan.kept) for candidate in plan.candidates)
    return TextTable(HEADER, body, range(6))


def _row(candidate: FloatCandidate, kept: bool) -> tuple[Cell, ...]:
    sizes = " / ".join(words.size(artifact.size_bytes) for artifact in candidate.artifacts)
    worst = max(candidate.parity, key=_drop, default=None)
    agreement = [row.agreement for row in candidate.parity if row.agreement is not None]
    n = min((row.n for row in candidate.parity), default=0)
    return (
        str(len(candidate.float_layers)),
        f"{100 * candidate.int8_macs:.1f} %",
        sizes or words.ABSENT,
        words.estimate(worst.drop_pp, worst.drop_ci95_pp, words.points) if worst else words.ABSENT,
        words.percent(min(agreement, default=None), n),
        words.decibels(candidate.sqnr_db),
        Tag(f"{WORDS[candidate.verdict]}{', kept' if kept else ''}", candidate.verdict),
    )


def _drop(row: Parity) -> float:
    return row.drop_ci95_pp[1] if row.drop_ci95_pp is not None else -float("inf")


def explained_plan(plan: MixedPrecision) -> list[str]:
    """What the table does not say: how to read it, and which layers stayed in float."""
    formats = " / ".join(artifact.format for artifact in plan.kept.artifacts)
    lines = [f"Size: {formats}. All other figures are the worst of these, on all backends."]
    if layers := plan.kept.float_layers:
        names = [words.printable(name.split(";")[0]) for name in layers[:SHOWN]]
        more = f" and {len(layers) - SHOWN} more (report.json has all)" if len(layers) > SHOWN else ""
        lines.append(f"In float: {', '.join(names)}{more}.")
    return lines
