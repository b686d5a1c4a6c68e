"""What outputs say, by the head that they come from. numpy only."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.head import THRESHOLDS, Head, Output
from resnet_edge.core.neighbours import nearest
from resnet_edge.core.statistics import centred

Outputs = NDArray[np.floating]
Scores = NDArray[np.float64]

SIGMOID = 3 * 2.0**-24
"""How far a sigmoid in float32 is off, at either end. TensorFlow's, LiteRT's (XNNPACK's too), ONNX Runtime's
and OpenVINO's are off by 1.4 to 2.8 times 2**-24 between -40 and 40, and give 0 or 1 from about 16 on."""


def scores(head: Head, outputs: Outputs) -> NDArray[np.floating]:
    """One score per class (N, classes), whose largest, the first of equals, is the answer.

    Those of a binary head are half of its logit, less that of the threshold, for the second class, and as
    much below zero for the first: sigmoid(z) is the second of softmax(-z/2, z/2).
    """
    if head.kind == "classes":
        return outputs
    return pair(head, logits(head, outputs))


def answers(head: Head, outputs: Outputs) -> NDArray[np.int64]:
    """What every row of outputs (N, head.outputs) stands for: its class (N,); of a multi-label head 1 for
    each label that it has and 0 for others (N, labels); of an embedding the row (N,) that is the nearest to
    it of all others. NaN stands for none: look for it first."""
    if head.kind == "classes":
        first: NDArray[np.int64] = outputs.argmax(axis=1)
        return first
    if head.kind == "embedding":
        return nearest(outputs).rows
    above: NDArray[np.bool_] = outputs > np.asarray(head.own_thresholds, outputs.dtype)
    chosen = above.astype(np.int64)
    return chosen if head.kind == "multilabel" else chosen[:, 0]


def changed(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The images (N,) on which two answers of one head differ, in any label where there are several."""
    apart: NDArray[np.bool_] = ours != theirs
    if apart.ndim == 1:
        return apart
    some: NDArray[np.bool_] = np.logical_or.reduce(apart, axis=1)
    return some


def right(head: Head, answer: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The images (N,) whose answer is that of their label; of several labels, all of them; of an embedding,
    those whose nearest neighbour has their label."""
    return ~changed(labels[answer] if head.kind == "embedding" else answer, labels)


def grouped(head: Head, answer: NDArray[np.int64], labels: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """A number (N,) for each image, the same for those of one answer: its class, or its set of labels. Of an
    embedding, whose answers are other images, its label (0 where there are none)."""
    if head.kind == "embedding":
        return np.zeros(len(answer), np.int64) if labels is None else labels
    if answer.ndim == 1:
        return answer
    numbers: NDArray[np.int64] = (
        np.unique(answer, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    )
    return numbers


def margins(head: Head, outputs: Outputs) -> NDArray[np.floating]:
    """How far (N,) the answer is before the next one: in the unit of the outputs, or of its logit where it
    goes by a threshold (of several labels, the closest); of an embedding, by the cosine."""
    if head.kind == "embedding":
        return nearest(outputs).gaps
    if head.kind == "multilabel":
        closest: NDArray[np.floating] = 2 * np.abs(centred_scores(head, logits(head, outputs))).min(axis=1)
        return closest
    best = np.sort(scores(head, outputs), axis=1)
    gaps: NDArray[np.floating] = best[:, -1] - best[:, -2]
    return gaps


def logits(head: Head, outputs: Outputs) -> Scores:
    """The logits (N, head.outputs) of a head whose outputs are `separate`, in float64. A probability so near
    0 or 1 that float32 does not hold it is taken for the nearest that it does."""
    wide = outputs.astype(np.float64)
    return log_odds(np.clip(wide, SIGMOID, 1 - SIGMOID)) if head.output == "probabilities" else wide


Real = TypeVar("Real", NDArray[np.float64], np.float64)


def log_odds(probabilities: Real) -> Real:
    """log(p / (1 - p))."""
    odds: Real = np.log(probabilities) - np.log1p(-probabilities)
    return odds


def sigmoid(logits: Real) -> Real:
    """1 / (1 + exp(-z)), whatever z is; NaN of NaN."""
    with np.errstate(invalid="ignore"):
        probabilities: Real = np.exp(-np.logaddexp(0, -logits))
    return probabilities


def of_output(head: Head, output: Output) -> Head:
    """The same head, of outputs of the other kind; thresholds that are not the usual ones move along."""
    if head.kind == "embedding" or head.output == output:
        return head
    if not head.separate:
        return replace(head, output=output)
    moved = tuple(_moved(limit, head.output, output) for limit in head.own_thresholds)
    if head.kind == "binary":
        return Head.binary(output, moved[0])
    return Head.multilabel(head.classes, output, moved)


def _moved(limit: float, before: Output, after: Output) -> float:
    if limit == THRESHOLDS[before]:
        return THRESHOLDS[after]
    wide = np.float64(limit)
    return float(sigmoid(wide) if after == "probabilities" else log_odds(wide))


def pair(head: Head, logit: Scores) -> Scores:
    """The scores (N, 2) of a binary head's logit (N, 1), as it is without its threshold."""
    half = halves(head, logit)
    return np.concatenate([-half, half], axis=1)


def halves(head: Head, logit: Scores) -> Scores:
    """Half of how far logits (N, head.outputs) are above those of their thresholds: the score of yes beside
    that of no, which is as much below zero."""
    limits = np.asarray(head.own_thresholds, np.float32).astype(np.float64)
    zero = log_odds(np.clip(limits, SIGMOID, 1 - SIGMOID)) if head.output == "probabilities" else limits
    half: Scores = (logit - zero) / 2
    return half


def centred_scores(head: Head, values: NDArray[np.floating]) -> Scores:
    """Scores per class (N, classes) of logits (N, head.outputs), as errors are measured on them: beside the
    mean of their image, for no answer sees what is added to all of them.

    A binary head has one logit, and nothing to centre: it stands for the two of a softmax, whose mean is
    zero (`scores`), so that its SQNR is that of the logit itself, from the threshold on. So is that of every
    label. Centred over the images instead, an error that is the same on all of them would not show, and it
    changes answers. An embedding stands as it is: its angles see what is added to all of its numbers.
    """
    if head.kind == "classes":
        return centred(values)
    wide = values.astype(np.float64)
    if head.kind == "embedding":
        return wide
    return pair(head, wide) if head.kind == "binary" else halves(head, wide)
