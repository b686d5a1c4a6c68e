"""From a verdict on each operation to an outlook."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resnet_edge.core.results.outlook import Fact, Kind, LeftOp, Outlook

READ = "2026-11-25"
"""The day on which the sources of the documented rules were read."""
LONGEST_LIST = 4
_HOW = {
    "documented": "by its documentation",
    "measured": "as measured here",
    "estimated": "by its compiler's estimate",
}


@dataclass(frozen=True)
class DelegateVerdict:
    """On one operation; `reason` why it is left to the CPU, None where it is taken."""

    op: str
    macs: int
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ListOrigin:
    """Where verdicts come from; see core.results.outlook.Outlook. `verb` and `rest`, for people: what it
    does with operations, and who keeps the others."""

    delegate: str
    title: str
    kind: Kind
    source: str
    date: str = ""
    verb: str = "takes"
    rest: str = "the CPU keeps"


def outlook_of(
    origin: ListOrigin,
    verdicts: Sequence[DelegateVerdict],
    warnings: Sequence[str] = (),
    facts: Mapping[str, Fact] | None = None,
    remark: str = "",
) -> Outlook:
    """The outlook; `remark` is a sentence that its own one ends with."""
    total = sum(verdict.macs for verdict in verdicts)
    taken = [verdict for verdict in verdicts if verdict.reason is None]
    share = sum(verdict.macs for verdict in taken) / total if total else None
    counted = Counter((v.op, v.reason) for v in verdicts if v.reason is not None)
    left = tuple(LeftOp(op, count, reason) for (op, reason), count in sorted(counted.items()))
    said = _sentence(origin, len(taken), len(verdicts), share, left)
    return Outlook(
        delegate=origin.delegate,
        title=origin.title,
        kind=origin.kind,
        date=origin.date,
        source=origin.source,
        ops_taken=len(taken),
        ops_total=len(verdicts),
        mac_share=share,
        left=left,
        sentence=" ".join(filter(None, (said, *warnings, remark))),
        warnings=tuple(warnings),
        facts=dict(facts or {}),
    )


def _sentence(origin: ListOrigin, taken: int, total: int, share: float | None, left: Sequence[LeftOp]) -> str:
    said = f"{origin.title} {origin.verb} {taken} of {total} operations"
    if share is not None:
        # Down: 100 % is all of them.
        said += f" and {math.floor(1000 * share) / 10:.1f} % of the multiply-accumulates"
    said += f", {_HOW[origin.kind]}"
    if not left:
        return f"{said}."
    named = [f"{each.count} {each.op} ({each.reason})" for each in left[:LONGEST_LIST]]
    if len(left) > LONGEST_LIST:
        named.append(f"{sum(each.count for each in left[LONGEST_LIST:])} others")
    return f"{said}; {origin.rest} {', '.join(named)}."
