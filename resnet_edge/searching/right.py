"""Runs in a worker. Which images a file answers right. numpy only."""

from __future__ import annotations

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
    answer = answers(head, outputs)
    if task.labels is None:
        reference: Values = np.load(task.reference, allow_pickle=False)[:n]
        good = ~changed(answer, answers(seen(task.head, reference), reference))
    else:
        good = right(head, answer, np.load(task.labels, allow_pickle=False)[:n])
    own = None if task.own is None else _sqnr(task.head, outputs, np.load(task.own, allow_pickle=False)[:n])
    return RightAnswers(right=_hexadecimal(good), n=n, sqnr_db=own)


def _hexadecimal(good: NDArray[np.bool_]) -> str:
    """The first image is the lowest bit."""
    return f"{int.from_bytes(np.packbits(good, bitorder='little').tobytes(), 'little'):x}"


def _sqnr(head: Head, outputs: Values, own: Values) -> float:
    """As in Parity, on the same images."""
    sums = measure(own, outputs, seen(head, own))
    return statistics.sqnr_db(sums.signal, sums.noise)
