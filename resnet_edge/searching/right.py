"""Runs in a worker. Which images a file answers right. numpy only."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import statistics
from resnet_edge.core.answers import answers, changed, right
from resnet_edge.core.head import Head
from resnet_edge.evaluation.outputs import seen
from resnet_edge.evaluation.sums import measure
from resnet_edge.searching.right_task import CountRight, RightAnswers
from resnet_edge.workers.progress import OnProgress

Values = NDArray[np.float32]


def right_answers(task: CountRight, on_progress: OnProgress) -> RightAnswers:
    """Image by image."""
    outputs: Values = np.load(task.outputs, allow_pickle=False)
    n = len(outputs)
    if not np.isfinite(outputs).all():
        return RightAnswers(right="0", n=n, trouble="its outputs are not all numbers (NaN or infinity)")
    head = seen(task.head, outputs)
    reference: Values = np.load(task.reference, allow_pickle=False)[:n]
    labels = None if task.labels is None else np.load(task.labels, allow_pickle=False)[:n]
    inside = [cut for cut in task.cuts if cut < n] if head.kind == "embedding" else []
    good = np.concatenate(
        [
            _good(head, outputs[a:b], reference[a:b], None if labels is None else labels[a:b])
            for a, b in pairwise((0, *inside, n))
        ]
    )
    own = None if task.own is None else _sqnr(task.head, outputs, np.load(task.own, allow_pickle=False)[:n])
    return RightAnswers(right=_hexadecimal(good), n=n, sqnr_db=own)


def _good(
    head: Head, outputs: Values, reference: Values, labels: NDArray[np.int64] | None
) -> NDArray[np.bool_]:
    answer = answers(head, outputs)
    if labels is not None:
        return right(head, answer, labels)
    return ~changed(answer, answers(seen(head, reference), reference))


def _hexadecimal(good: NDArray[np.bool_]) -> str:
    """The first image is the lowest bit."""
    return f"{int.from_bytes(np.packbits(good, bitorder='little').tobytes(), 'little'):x}"


def _sqnr(head: Head, outputs: Values, own: Values) -> float:
    """As in Parity, on the same images."""
    sums = measure(own, outputs, seen(head, own))
    return statistics.sqnr_db(sums.signal, sums.noise)
