"""How each of several labels holds in all artifacts, as a table of words for every writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os.path import commonprefix

from resnet_edge.core.results.parity import Among, LabelDrop, Parity
from resnet_edge.report import words
from resnet_edge.report.blocks import Block, Cell, Paragraph, TextTable
from resnet_edge.report.rows import WORDS

HOW = (
    "Each label is judged by its own interval (in brackets), and all intervals of a file hold together with "
    "95 %. A label that few images have, or lack, is judged on these alone."
)
MOST = 40
"""Labels in a table: the least good first where there are more."""
_ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
_AMONG: dict[Among, str] = {"all": "all", "with": "those with it", "without": "those without it"}


Figures = tuple[LabelDrop, ...]
Groups = dict[Figures, list[Parity]]


def label_blocks(parity: Iterable[Parity], class_names: Sequence[str]) -> Iterator[Block]:
    """One table of all files of several labels that saw the same images, in which those of the same figures
    share a column; nothing where there is none. `class_names` are those of the labels (empty: their
    numbers)."""
    tables: dict[tuple[object, ...], Groups] = {}
    for row in parity:
        if row.labels:
            seen = (row.n, *((one.label, one.n, one.reference_accuracy, one.among) for one in row.labels))
            tables.setdefault(seen, {}).setdefault(row.labels, []).append(row)
    if tables:
        yield Paragraph(HOW)
    for groups in tables.values():
        if hidden := _hidden(groups):
            yield Paragraph(hidden)
        yield _table(groups, class_names)


def _hidden(groups: Groups) -> str:
    count = len(next(iter(groups)))
    return "" if count <= MOST else f"The {MOST} that hold least; {count - MOST} more are in report.json."


def _table(groups: Groups, class_names: Sequence[str]) -> TextTable:
    """A row for each label: what is so for all files, and a column for those of the same figures."""
    by_label = list(zip(*groups, strict=True))
    if len(by_label) > MOST:
        by_label = sorted(by_label, key=lambda all_of_one: min(map(_badness, all_of_one)))[:MOST]
    rows = [rows[0] for rows in groups.values()]
    labelled = rows[0].drop_pp is not None
    what = "drop, pp" if labelled else "agreement"
    shared = ("Label", "Images", "Of the model", "Judged on") if labelled else ("Label", "Judged on")
    columns = [f"{_files(together, groups)}: {what}" for together in groups.values()]
    body = tuple(
        (*_of_all(rows[0].n, each[0], class_names, labelled), *(_of_file(rows[0].n, one) for one in each))
        for each in by_label
    )
    header = (*shared, *columns)
    return TextTable(header, body, range(len(shared), len(header)))


def _files(together: list[Parity], groups: Groups) -> str:
    """`fp32.tflite, fp32.onnx`, without the model that all are called after; with the backend where a file
    has other figures elsewhere."""
    everywhere = [row.artifact for rows in groups.values() for row in rows]
    model = commonprefix([f"{name.rsplit('.', 2)[0]}." for name in everywhere])
    model = model if model.endswith(".") else ""
    apart = {
        row.artifact
        for row in together
        for rows in groups.values()
        if rows is not together and any(other.artifact == row.artifact for other in rows)
    }
    called = (
        f"{row.artifact.removeprefix(model)}"
        f"{f' on {row.backend} {row.device}' if row.artifact in apart else ''}"
        for row in together
    )
    return ", ".join(dict.fromkeys(called))


def _badness(one: LabelDrop) -> tuple[int, float]:
    """Least good first; of one verdict, by the end of the interval that is nearest to a failure."""
    low_high = one.drop_ci95_pp
    return _ORDER[one.verdict], one.agreement_ci95[0] if low_high is None else -low_high[1]


def _of_all(n: int, one: LabelDrop, class_names: Sequence[str], labelled: bool) -> tuple[Cell, ...]:
    name, among = _name(one, class_names), _AMONG[one.among]
    if not labelled:
        return name, among
    images = words.ABSENT if one.n is None else f"{one.n:,}"
    return name, images, words.percent(one.reference_accuracy, n), among


def _of_file(n: int, one: LabelDrop) -> Cell:
    """The figure, and beside it the interval that decides and the verdict."""
    if one.drop_pp is None:
        spelled = words.percent(one.agreement, n)
        between = words.interval(one.agreement_ci95, lambda share: words.percent(share, n))
    else:
        spelled, between = words.estimate(one.drop_pp, one.drop_ci95_pp, words.points)
    return spelled, f"{between} {WORDS[one.verdict]}"


def _name(one: LabelDrop, class_names: Sequence[str]) -> str:
    return class_names[one.label] if one.label < len(class_names) else str(one.label)
