"""How each of several labels holds in each artifact, as tables of words for every writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from resnet_edge.core.results.parity import Among, LabelDrop, Parity
from resnet_edge.report import words
from resnet_edge.report.blocks import Block, Cell, Paragraph, Tag, TextTable
from resnet_edge.report.grouped import names
from resnet_edge.report.rows import WORDS

HOW = (
    "Each label is judged by its own interval (in brackets), and all intervals of a file hold together with "
    "95 %. A label that few images have, or lack, is judged on these alone."
)
MOST = 40
"""Labels in a table: the least good first where there are more."""
_ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
_AMONG: dict[Among, str] = {"all": "all", "with": "those with it", "without": "those without it"}


def label_blocks(parity: Iterable[Parity], class_names: Sequence[str]) -> Iterator[Block]:
    """A title and a table for each artifact of several labels, once for all backends that gave the same;
    nothing where there is none. `class_names` are those of the labels (empty: their numbers)."""
    groups: dict[tuple[str, tuple[LabelDrop, ...]], list[Parity]] = {}
    for row in parity:
        if row.labels:
            groups.setdefault((row.artifact, row.labels), []).append(row)
    if groups:
        yield Paragraph(HOW)
    for rows in groups.values():
        yield Paragraph(_title(rows))
        yield _table(rows[0], class_names)


def _title(rows: list[Parity]) -> str:
    hidden = len(rows[0].labels) - MOST
    if hidden <= 0:
        return names(rows)
    return f"{names(rows)}: the {MOST} that hold least; {hidden} more are in report.json"


def _table(row: Parity, class_names: Sequence[str]) -> TextTable:
    shown = row.labels if len(row.labels) <= MOST else sorted(row.labels, key=_badness)[:MOST]
    if row.drop_pp is None:
        header: tuple[str, ...] = ("Label", "Agreement", "Judged on", "Verdict")
        return TextTable(header, tuple(_unlabelled(row.n, one, class_names) for one in shown), range(1, 2))
    header = ("Label", "Images", "Right", "Of the model", "Drop, pp", "Judged on", "Verdict")
    return TextTable(header, tuple(_labelled(row.n, one, class_names) for one in shown), range(1, 5))


def _badness(one: LabelDrop) -> tuple[int, float]:
    """Least good first; of one verdict, by the end of the interval that is nearest to a failure."""
    low_high = one.drop_ci95_pp
    return _ORDER[one.verdict], one.agreement_ci95[0] if low_high is None else -low_high[1]


def _labelled(n: int, one: LabelDrop, class_names: Sequence[str]) -> tuple[Cell, ...]:
    return (
        _name(one, class_names),
        words.ABSENT if one.n is None else f"{one.n:,}",
        words.percent(one.accuracy, n),
        words.percent(one.reference_accuracy, n),
        words.estimate(one.drop_pp, one.drop_ci95_pp, words.points),
        _AMONG[one.among],
        Tag(WORDS[one.verdict], one.verdict),
    )


def _unlabelled(n: int, one: LabelDrop, class_names: Sequence[str]) -> tuple[Cell, ...]:
    between = words.interval(one.agreement_ci95, lambda share: words.percent(share, n))
    return (
        _name(one, class_names),
        (words.percent(one.agreement, n), between),
        _AMONG[one.among],
        Tag(WORDS[one.verdict], one.verdict),
    )


def _name(one: LabelDrop, class_names: Sequence[str]) -> str:
    return class_names[one.label] if one.label < len(class_names) else str(one.label)
