"""Runs in a worker. Which answers change between labels, model and files, and on which images.

Counts for tables, and the images to look at: those on which a file overrules what the model was surest of. An
artifact whose outputs are not all finite has no answers, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import answers, centred_scores, logits
from resnet_edge.core.head import Head
from resnet_edge.core.results.changes import (
    MOST_PAIRS,
    ChangedImage,
    Changes,
    FileAnswers,
    ImageAnswer,
    Pair,
)
from resnet_edge.data.image_file import open_images
from resnet_edge.data.images_task import Images
from resnet_edge.data.thumbnail import MOST_BYTES, thumbnail
from resnet_edge.evaluation.changes_task import CountChanges, FileOutputs
from resnet_edge.evaluation.outputs import seen
from resnet_edge.evaluation.sums import SMALLEST
from resnet_edge.workers.progress import OnProgress

MOST_IMAGES = 24
"""That are told of: one screen of small pictures."""

Answers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class _File:
    """What an artifact answers, image by image (N,)."""

    which: FileOutputs
    ours: Answers


def count(request: CountChanges, on_progress: OnProgress) -> Changes:
    """See Changes; nothing at all where the model itself has no answers."""
    reference = np.load(request.reference)
    head, n = request.head, len(reference)
    theirs = _answers(head, reference)
    labels = None if request.images.labels is None else np.load(request.images.labels).astype(np.int64)
    if theirs is None:
        return _nothing(n)
    files = [
        _File(which=each, ours=ours)
        for each in request.candidates
        if (ours := _answers(head, np.load(each.outputs))) is not None
    ]
    changed = np.zeros(n, np.bool_)
    for file in files:
        changed |= file.ours != theirs
    images, right, pairs = _beside_labels(theirs, labels, head.classes)
    return Changes(
        n=n,
        images=images,
        right=right,
        answered=_each(theirs, head.classes),
        pairs=pairs,
        artifacts=tuple(_of_file(file, theirs, labels, head.classes) for file in files),
        changed=int(np.count_nonzero(changed)),
        worst=_worst(request, files, reference, theirs, labels, np.flatnonzero(changed)),
    )


def _nothing(n: int) -> Changes:
    return Changes(n=n, images=(), right=(), answered=(), pairs=(), artifacts=(), changed=0, worst=())


def _answers(head: Head, outputs: NDArray[np.float32]) -> Answers | None:
    """The class (N,) of each row, which may be logits or probabilities; None where one is not finite."""
    return answers(seen(head, outputs), outputs) if np.isfinite(outputs).all() else None


def _each(classes: Answers, total: int) -> tuple[int, ...]:
    return tuple(np.bincount(classes, minlength=total).tolist())


def _beside_labels(
    theirs: Answers, labels: Answers | None, total: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Pair, ...]]:
    if labels is None:
        return (), (), ()
    return _each(labels, total), _each(labels[theirs == labels], total), _pairs(labels, theirs)


def _pairs(one: Answers, other: Answers) -> tuple[Pair, ...]:
    """The classes (N,) of two sides where they differ, the most frequent first."""
    apart = one != other
    both, counts = np.unique(np.stack([one[apart], other[apart]], axis=1), axis=0, return_counts=True)
    rows = [(int(a), int(b), int(n)) for (a, b), n in zip(both, counts, strict=True)]
    return tuple(sorted(rows, key=lambda row: (-row[2], row[0], row[1]))[:MOST_PAIRS])


def _of_file(file: _File, theirs: Answers, labels: Answers | None, total: int) -> FileAnswers:
    which, ours = file.which, file.ours
    classes: list[tuple[int, int, int]] = []
    if labels is not None:
        lost = _each(labels[(theirs == labels) & (ours != labels)], total)
        gained = _each(labels[(theirs != labels) & (ours == labels)], total)
        classes = [(k, lost[k], gained[k]) for k in range(total) if lost[k] or gained[k]]
    return FileAnswers(
        artifact=which.artifact,
        backend=which.backend,
        device=which.device,
        changed=int(np.count_nonzero(ours != theirs)),
        pairs=_pairs(theirs, ours),
        classes=tuple(classes),
    )


def _worst(
    request: CountChanges,
    files: Sequence[_File],
    reference: NDArray[np.float32],
    theirs: Answers,
    labels: Answers | None,
    changed: Answers,
) -> tuple[ChangedImage, ...]:
    """The largest margins first, of equal ones as the images come."""
    if not len(changed):
        return ()
    margins = np.zeros(len(changed))
    scores = _scores(request.head, reference[changed])
    rows = np.arange(len(changed))
    for file in files:
        apart = scores[rows, theirs[changed]] - scores[rows, file.ours[changed]]
        margins = np.maximum(margins, np.tanh(apart / 2))
    order = np.argsort(-margins, kind="stable")[:MOST_IMAGES]
    pictures = iter(_pictures(request, changed[order]))
    names = _names(request.images)
    return tuple(
        ChangedImage(
            name=names[row] if names else str(row),
            label=None if labels is None else int(labels[row]),
            reference=int(theirs[row]),
            margin=float(margin),
            answers=_otherwise(files, int(row), int(theirs[row])),
            picture=next(pictures),
        )
        for row, margin in zip(changed[order], margins[order], strict=True)
    )


def _scores(head: Head, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scores (N, classes) of which a difference is the logarithm of the odds between two answers."""
    head = seen(head, outputs)
    if head.kind == "classes" and head.output == "probabilities":
        logged: NDArray[np.float64] = np.log(np.clip(outputs.astype(np.float64), SMALLEST, 1))
        return logged
    return centred_scores(head, logits(head, outputs))


def _otherwise(files: Iterable[_File], row: int, theirs: int) -> tuple[ImageAnswer, ...]:
    return tuple(
        ImageAnswer(
            artifact=file.which.artifact,
            backend=file.which.backend,
            device=file.which.device,
            answer=int(file.ours[row]),
        )
        for file in files
        if file.ours[row] != theirs
    )


def _names(images: Images) -> list[str]:
    return (
        [] if images.names is None else msgspec.json.decode(Path(images.names).read_bytes(), type=list[str])
    )


def _pictures(request: CountChanges, rows: Answers) -> list[str]:
    """One for each row; empty once all together would be more than MOST_BYTES, and where none are made."""
    images = open_images(Path(request.images.images))
    pictures, left = [], MOST_BYTES
    for row in rows:
        picture = thumbnail(images[row]) if request.pictures else ""
        left -= len(picture)
        pictures.append(picture if left >= 0 else "")
    return pictures
