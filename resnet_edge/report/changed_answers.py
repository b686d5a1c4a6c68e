"""Which classes lose, which are taken for which, and the images on which files overrule the model, as tables
for every writer."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from resnet_edge.core.proportion import drop_points
from resnet_edge.core.results.changes import ChangedImage, Changes, FileAnswers, Pair
from resnet_edge.core.sequential import quantile
from resnet_edge.report import words
from resnet_edge.report.blocks import Block, Cell, Figure, Matrix, Paragraph, TextTable

MOST = 40
"""Rows of a table: the worst where there are more."""
MATRIX = 20
"""Classes up to which all are set against all: more do not fit a page."""
LABEL = "Label"
RECALL = (
    "Recall: of the images with a label, the share that gets it. In brackets: the paired 95 % interval of "
    "what a file loses; the intervals of all classes of a file hold together. Lost: images that the model "
    "alone gets right; gained: those that the file alone does."
)
MARGIN = (
    "The largest margins first. The margin is how much more the model gives to its own answer, of what it "
    "gives to the two: at 0 % the two are tied, and which one a file takes is chance; near 100 % the file "
    "overrules what the model was sure of."
)
PICTURES = (
    "The pictures are images of --data, made small. They stand in this page alone, and --no-thumbnails "
    "leaves them out."
)
Place = tuple[str, str, str]
"""An artifact, a backend and a device."""
Key = TypeVar("Key", bound=Hashable)


def class_blocks(changes: Changes | None, class_names: Sequence[str]) -> Iterator[Block]:
    """The recall of each class, of the model and of each file that has another; nothing without labels.
    `class_names` may be empty: then their numbers stand there."""
    if changes is None or not changes.images:
        return
    yield Paragraph(RECALL)
    short = _short_names(changes.artifacts)
    groups = _grouped({each: each.classes for each in changes.artifacts})
    same = groups.pop((), [])
    if same:
        yield Paragraph(f"{_names(same, short)}: right on the same images of every class as the model.")
    for classes, files in groups.items():
        yield Paragraph(_names(files, short) + _hidden(changes))
        yield _recalls(changes, {label: (lost, gained) for label, lost, gained in classes}, class_names)
    if not groups:
        yield _recalls(changes, {}, class_names)


def _grouped(of: Mapping[FileAnswers, Key]) -> dict[Key, list[FileAnswers]]:
    """Files of which the same is to be said, in the order of the first of each."""
    groups: dict[Key, list[FileAnswers]] = {}
    for file, key in of.items():
        groups.setdefault(key, []).append(file)
    return groups


def _names(files: Iterable[FileAnswers], short: Mapping[Place, str]) -> str:
    return ", ".join(short[each.artifact, each.backend, each.device] for each in files)


def _hidden(changes: Changes) -> str:
    hidden = sum(map(bool, changes.images)) - MOST
    return f": the {MOST} classes that lose most, of {hidden + MOST}" if hidden > 0 else ""


def _recalls(changes: Changes, moved: Mapping[int, tuple[int, int]], class_names: Sequence[str]) -> TextTable:
    """Without `moved` (a label, lost, gained) it is a table of the model alone."""
    labels = [label for label, n in enumerate(changes.images) if n]
    z = quantile(len(labels))
    if len(labels) > MOST:
        labels = sorted(labels, key=lambda label: _rank(changes, moved, label))[:MOST]
    rows = []
    for label in labels:
        n, right = changes.images[label], changes.right[label]
        lost, gained = moved.get(label, (0, 0))
        drop = drop_points(n, lost, gained, z)
        row: tuple[Cell, ...] = (
            _name(label, class_names),
            f"{n:,}",
            words.percent(right / n, n),
        )
        if moved:
            row = (
                *row,
                words.percent((right - lost + gained) / n, n),
                words.estimate(drop.value, (drop.low, drop.high), words.points),
                f"{lost:,}, {gained:,}",
            )
        rows.append(row)
    of_file = ("Recall, file", "Drop, pp", "Lost, gained") if moved else ()
    return TextTable(("Class", "Images", "Recall, model", *of_file), tuple(rows), range(1, 3 + len(of_file)))


def _rank(changes: Changes, moved: Mapping[int, tuple[int, int]], label: int) -> tuple[float, float]:
    """The largest loss first; of equal ones the lowest recall."""
    n, right = changes.images[label], changes.right[label]
    lost, gained = moved.get(label, (0, 0))
    return (gained - lost) / n, right / n


def _name(label: int, class_names: Sequence[str]) -> str:
    return class_names[label] if label < len(class_names) else str(label)


def confusion_blocks(changes: Changes | None, class_names: Sequence[str]) -> Iterator[Block]:
    """Labels against what the model says, and what the model says against what files say, where they differ:
    all classes against all, or the most frequent pairs where classes are many, or pairs few."""
    if changes is None or not changes.answered:
        return
    if changes.images:
        wrong = sum(changes.images) - sum(changes.right)
        yield Paragraph(f"The model gives another class than the label on {_of(wrong, changes.n)}.")
        yield from _table(LABEL, "The model", changes.images, changes.pairs, wrong, class_names)
    short = _short_names(changes.artifacts)
    groups = _grouped({each: each.pairs for each in changes.artifacts})
    same = groups.pop((), [])
    for pairs, files in groups.items():
        answers = f"another answer than the model's on {_of(files[0].changed, changes.n)}."
        yield Paragraph(f"{_names(files, short)}: {answers}")
        yield from _table("The model", "The file", changes.answered, pairs, files[0].changed, class_names)
    if same:
        yield Paragraph(
            f"{_names(same, short)}: the model's answer on all {words.count(changes.n, 'image')}."
        )


def _of(some: int, n: int) -> str:
    return f"{some:,} of {words.count(n, 'image')}"


def _table(
    one: str,
    other: str,
    totals: tuple[int, ...],
    pairs: Sequence[Pair],
    apart: int,
    class_names: Sequence[str],
) -> Iterator[Block]:
    """`totals`: how often each class stands on the side of `one`; `pairs` differ on `apart` images."""
    if len(totals) <= MATRIX and (one == LABEL or len(pairs) > len(totals)):
        yield _matrix(one, other, totals, pairs, class_names)
        return
    shown = pairs[:MOST]
    body = tuple(
        (
            _name(a, class_names),
            _name(b, class_names),
            f"{n:,}",
            words.percent(n / totals[a], max(totals)),
        )
        for a, b, n in shown
    )
    if body:
        yield TextTable((one, other, "Images", "Of its images"), body, range(2, 4))
    rest = apart - sum(n for _, _, n in shown)
    if rest:
        yield Paragraph(f"The {MOST} most frequent; {words.count(rest, 'image')} more are of other pairs.")


def _matrix(
    one: str, other: str, totals: tuple[int, ...], pairs: Iterable[Pair], class_names: Sequence[str]
) -> Matrix:
    counts = [[0] * len(totals) for _ in totals]
    for a, b, n in pairs:
        counts[a][b] = n
    for label, total in enumerate(totals):
        counts[label][label] = total - sum(counts[label])
    return Matrix(
        rows=one,
        columns=other,
        names=tuple(_name(label, class_names) for label in range(len(totals))),
        counts=tuple(map(tuple, counts)),
    )


def image_blocks(changes: Changes | None, class_names: Sequence[str]) -> Iterator[Block]:
    """Images on which a file overrules the model, with their pictures where there are any."""
    if changes is None or not changes.worst:
        return
    shown = changes.worst
    pictured = any(image.picture for image in shown)
    which = "All are here." if changes.changed == len(shown) else f"Here are {len(shown)} of them."
    some = f"On {_of(changes.changed, changes.n)} a file gives another answer than the model. {which}"
    yield Paragraph(f"{some} {MARGIN}")
    if pictured:
        yield Figure("", caption=PICTURES)  # text has no pictures to speak of
    labelled = shown[0].label is not None
    short = _short_names(changes.artifacts)
    yield TextTable(
        ("Image", *(("Label",) if labelled else ()), "Model says", "Files say", "Margin"),
        tuple(_image(image, class_names, short) for image in shown),
        range(3 + labelled, 4 + labelled),
        pictures=tuple(image.picture for image in shown) if pictured else (),
    )


def _image(image: ChangedImage, class_names: Sequence[str], short: Mapping[Place, str]) -> tuple[Cell, ...]:
    says: dict[int, list[str]] = {}
    for each in image.answers:
        says.setdefault(each.answer, []).append(short[each.artifact, each.backend, each.device])
    files = "; ".join(f"{_name(answer, class_names)} ({', '.join(who)})" for answer, who in says.items())
    label = () if image.label is None else (_name(image.label, class_names),)
    return image.name, *label, _name(image.reference, class_names), files, f"{100 * image.margin:.1f} %"


def _short_names(files: Sequence[FileAnswers]) -> dict[Place, str]:
    """Of artifacts at their places: without what all names have in common in front, up to a separator, and
    with the place where a file ran at several."""
    names = [each.artifact for each in files]
    common = re.match(r".*[._-]", os.path.commonprefix(names)) if len(set(names)) > 1 else None
    prefix = common.group() if common else ""
    return {
        (each.artifact, each.backend, each.device): each.artifact.removeprefix(prefix)
        + (f" on {each.backend} {each.device}" if names.count(each.artifact) > 1 else "")
        for each in files
    }
