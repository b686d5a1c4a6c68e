"""Runs in a worker. The images that say most of a runtime: typical ones of all classes, and close calls."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import answers, grouped, margins
from resnet_edge.core.head import Head

CLOSEST = 4
"""One image of so many is taken for being close, wherever the classes leave room."""


def informative(
    outputs: NDArray[np.float32], labels: NDArray[np.int64] | None, count: int, head: Head
) -> tuple[int, ...]:
    """`count` rows in order, always the same ones: of each class the image whose margin, how far the
    answer is before the next one, is the median; the smallest margins of all; then, class after class, those
    next to the median. Fewer rows where there are no more. `labels` None: the classes are the answers. Of
    several labels, each set of them is a class."""
    margin, answer = margins(head, outputs), answers(head, outputs)
    classes = labels if labels is not None and labels.ndim == 1 else grouped(head, answer, labels)
    queues = _queues(margin, classes)
    close = max(0, min(count // CLOSEST, count - len(queues)))
    taken = dict.fromkeys(map(int, np.argsort(margin, kind="stable")[:close]))
    if count < len(queues):  # not all have a place: from the first to the last
        queues = [queues[int(number)] for number in np.linspace(0, len(queues) - 1, count).round()]
    for tier in zip_longest(*queues):
        for row in tier:
            if row is not None and len(taken) < count:
                taken.setdefault(row)
    return tuple(sorted(taken))


def _queues(margin: NDArray[np.floating], classes: NDArray[np.int64]) -> list[list[int]]:
    """Rows of each class, from the median margin outwards."""
    queues = []
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        rows = rows[np.argsort(margin[rows], kind="stable")]
        away = np.abs(np.arange(len(rows)) - len(rows) // 2)
        queues.append([int(row) for row in rows[np.argsort(away, kind="stable")]])
    return queues
