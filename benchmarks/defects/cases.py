"""Seeded files and what became of them, counted and listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.defects.line import Line
from benchmarks.defects.seeding import KINDS, Seeded
from benchmarks.verdicts import Said


@dataclass(frozen=True)
class Case:
    """One seeded file; `said` is None in a dry run."""

    seeded: Seeded
    network: str
    scheme: str
    line: Line
    said: Said | None = None

    @property
    def pair(self) -> str:
        """Scheme and format."""
        return f"{self.scheme} {self.seeded.path.suffix[1:]}"

    @property
    def localized(self) -> bool:
        """Whether the first layer named is the broken one; of a file that does not take the images, whether
        the message says its size."""
        if self.said is None:
            return False
        size = re.search(r"takes images of (\d+) pixels", self.seeded.note)
        names_size = size is not None and size[1] in self.said.why
        return names_size or self.said.layer in self.seeded.names


def kinds(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """What became of each kind, for `defects.table`."""
    rows = []
    for kind in KINDS.values():
        some = [case for case in cases if case.seeded.kind == kind.name]
        ran = [case for case in some if not case.line.refused]
        caught = [case for case in ran if case.said and case.said.caught]
        if some:
            rows.append(
                {
                    "kind": kind.name,
                    "imitates": kind.imitates,
                    "variants": len(some),
                    "above": sum(case.line.above for case in ran),
                    "caught": sum(case.line.above for case in caught),
                    "localized": sum(case.line.above and case.localized for case in caught),
                    "below_caught": sum(not case.line.above for case in caught),
                    "refused": len(some) - len(ran),
                }
            )
    return rows


def pairs_table(cases: Sequence[Case]) -> str:
    """Kinds by scheme and format: how many are above the line, of how many."""
    pairs = sorted({case.pair for case in cases})
    whole, above = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for case in cases:
        whole[case.seeded.kind, case.pair] += 1
        above[case.seeded.kind, case.pair] += case.line.above
    rows = []
    for kind in KINDS:
        cells = [f"{above[kind, pair]}/{n}" if (n := whole[kind, pair]) else "" for pair in pairs]
        if any(cells):
            rows.append((kind, *cells))
    return _table(("above the line, of", *pairs), rows)


def listed(cases: Iterable[Case], head: str) -> str:
    """One line for each case, under a heading; nothing where there is none."""
    lines = [_line(case) for case in cases]
    return "\n".join([f"\n{head}, {len(lines)}:\n", *lines]) if lines else ""


def _line(case: Case) -> str:
    seeded, line, said = case.seeded, case.line, case.said
    decibels = "not finite" if line.sqnr_db is None else f"{line.sqnr_db:.1f} dB"
    figures = line.refused or f"top-1 changed {100 * line.changed:.2f} %, {decibels}"
    verdict = (
        f"; verify: {said.verdict}, {said.layer or 'no layer'}, {said.cause or 'no cause'}" if said else ""
    )
    place = f"{case.network} {case.pair}, {seeded.layer} (layer {seeded.ordinal})"
    return f"- {seeded.kind} {seeded.variant}: {place}: {seeded.note}: {figures}{verdict}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
