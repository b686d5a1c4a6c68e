"""Whether one class loses more than chance explains, with all classes looked at."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import answers
from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import ClassDrop
from resnet_edge.evaluation.sanity import Values


def worst_class(
    reference: Values, candidate: Values, labels: NDArray[np.int64], head: Head, looks: int = 1
) -> ClassDrop | None:
    """The class whose loss is the least likely by chance; None where no class loses.

    Of the images on which only one of the two is right, half should be lost if nothing was wrong: the exact
    test of McNemar, one-sided. Its probability is multiplied by the number of classes (S. Holm, Scandinavian
    Journal of Statistics 6 (1979) 65-70, of which the smallest is all that is told here), and by the `looks`
    that are taken at all of them (Bonferroni).
    """
    ours, theirs = answers(head, candidate) == labels, answers(head, reference) == labels
    size = head.classes
    lost = np.bincount(labels[theirs & ~ours], minlength=size)
    gained = np.bincount(labels[ours & ~theirs], minlength=size)
    n = np.bincount(labels, minlength=size)
    losing = np.flatnonzero(lost > gained)
    if not losing.size:
        return None
    chances = [at_least(int(lost[k]), int(lost[k] + gained[k])) for k in losing]
    worst = int(np.argmin(chances))
    label = int(losing[worst])
    tested = int(np.count_nonzero(n))
    return ClassDrop(
        label=label,
        n=int(n[label]),
        lost=int(lost[label]),
        gained=int(gained[label]),
        drop_pp=100 * float(lost[label] - gained[label]) / float(n[label]),
        p_adjusted=min(1.0, looks * tested * chances[worst]),
    )


def at_least(count: int, n: int) -> float:
    """The probability of `count` or more of `n` throws of a fair coin."""
    if count <= 0:
        return 1.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
        for k in range(count, n + 1)
    ]
    top = max(logs)
    return min(1.0, math.exp(top) * sum(math.exp(value - top) for value in logs))
