"""What too few images prove of the files that they leave open, and how many would do: said once of all."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from resnet_edge.core.proportion import Z95, samples_needed, samples_needed_for_share
from resnet_edge.core.results.parity import Parity

COMMON = 2
"""Reasons that such a row has in any case: its drop, which the table has, too, and its SQNR. That of an
embedding has its cosine as a third."""


def wants_images(row: Parity, max_drop_pp: float) -> bool:
    """Whether it is open for no reason but their number. Of several labels, what is open differs from one to
    the next: each says it."""
    return (
        row.verdict == "inconclusive"
        and row.samples_needed is not None
        and _upper_pp(row) > max_drop_pp
        and not row.labels
    )


def few_images(parity: Iterable[Parity], max_drop_pp: float, z: float = Z95) -> str:
    """A sentence; empty where images suffice. `z`: the normal quantile of the intervals."""
    rows = list(parity)
    short = [row for row in rows if wants_images(row, max_drop_pp)]
    if not short:
        return ""
    numbers = sorted({row.n for row in short})
    n = f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
    proved = math.ceil(10 * max(map(_upper_pp, short))) / 10
    labelled = short[0].drop_pp is not None
    several = len({row.artifact for row in short}) > 1
    which = "the inconclusive files" if several else "the inconclusive file"
    lose, give = ("lose", "give") if several else ("loses", "gives")
    claim = (
        f"{lose} at most {proved:g} pp"
        if labelled
        else f"{give} another answer on at most {proved:g} % of images"
    )
    unit = "pp" if labelled else "%"
    by_numbers = any(row.verdict == "pass" and _upper_pp(row) > max_drop_pp for row in rows)
    floats = "Float files passed by their numbers alone. " if by_numbers else ""
    takes = f"{max_drop_pp:g} {unit} takes {_needed(short, labelled, max_drop_pp, z)}"
    return f"{floats}The {n} images prove that {which} {claim} (--max-drop {proved:g}); {takes}."


def _needed(short: list[Parity], labelled: bool, max_drop_pp: float, z: float) -> str:
    """By the rates seen, once there are as many images as it takes where no answer changes: of fewer, one
    answer more or less makes a thousandfold difference."""
    how = samples_needed if labelled else _for_share
    fewest = how(1, 0, 0, max_drop_pp / 100, z)
    if fewest is not None and fewest > min(row.n for row in short):
        return f"{fewest:,} images, and more where answers change"
    return f"about {max(row.samples_needed or 0 for row in short):,} images"


def unsaid(parity: Iterable[Parity], max_drop_pp: float) -> list[Parity]:
    """The rows that did not pass and of which more is to be said than that sentence, with the reasons that it
    does not give."""
    rest = []
    for row in parity:
        if wants_images(row, max_drop_pp):
            if remarks := row.reasons[COMMON + (row.cosine is not None) :]:
                rest.append(replace(row, reasons=remarks, samples_needed=None))
        elif row.verdict != "pass":
            rest.append(row)
    return rest


def _for_share(n: int, lost: int, gained: int, limit: float, z: float) -> int | None:
    return samples_needed_for_share(n, lost + gained, limit, z)


def _upper_pp(row: Parity) -> float:
    """The most that a row leaves open: of the drop, or without labels of the answers that changed."""
    if row.drop_ci95_pp is not None:
        return row.drop_ci95_pp[1]
    return 0.0 if row.agreement_ci95 is None else 100 * (1 - row.agreement_ci95[0])
