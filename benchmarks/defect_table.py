"""The tables of defects.py, in Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from defect_line import Line
from defect_verify import Said
from seeding import KINDS, Seeded


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
        told = size is not None and size[1] in self.said.why
        return told or self.said.layer in self.seeded.names


def kinds_table(cases: Sequence[Case]) -> str:
    """A row for each kind, and their sum."""
    figures = ("variants", "above the line", "caught", "localized", "below, caught", "refused")
    rows: list[tuple[str, ...]] = []
    for kind in KINDS.values():
        some = [case for case in cases if case.seeded.kind == kind.name]
        if some:
            rows.append((kind.name, kind.imitates, *_counts(some)))
    return _table(("kind", "imitates", *figures), [*rows, ("all", "", *_counts(cases))], left=2)


def _counts(cases: Sequence[Case]) -> tuple[str, ...]:
    ran = [case for case in cases if not case.line.refused]
    above = [case for case in ran if case.line.above]
    caught = [case for case in above if case.said and case.said.caught]
    early = [case for case in ran if not case.line.above and case.said and case.said.caught]
    dry = all(case.said is None for case in cases)
    figures = ("", "", "") if dry else (_share(len(caught), len(above)), _localized(caught), str(len(early)))
    return (str(len(cases)), str(len(above)), *figures, str(len(cases) - len(ran)))


def _localized(caught: Sequence[Case]) -> str:
    return _share(sum(case.localized for case in caught), len(caught))


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "–"


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
    told = f"; verify: {said.verdict}, {said.layer or 'no layer'}, {said.cause or 'no cause'}" if said else ""
    place = f"{case.network} {case.pair}, {seeded.layer} (layer {seeded.ordinal})"
    return f"- {seeded.kind} {seeded.variant}: {place}: {seeded.note}: {figures}{told}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
