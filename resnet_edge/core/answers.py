"""What outputs say, by the head that they come from. numpy only."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.head import THRESHOLDS, Head, Output
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
    """The class (N,) that every row of outputs (N, head.outputs) stands for. NaN stands for none: look for
    it first."""
    if head.kind == "classes":
        first: NDArray[np.int64] = outputs.argmax(axis=1)
        return first
    above: NDArray[np.bool_] = outputs[:, 0] > outputs.dtype.type(head.threshold)
    return above.astype(np.int64)


def margins(head: Head, outputs: Outputs) -> NDArray[np.floating]:
    """How far (N,) the answer is before the next one: in the unit of the outputs, or of its logit where there
    is only one output."""
    best = np.sort(scores(head, outputs), axis=1)
    gaps: NDArray[np.floating] = best[:, -1] - best[:, -2]
    return gaps


def logits(head: Head, outputs: Outputs) -> Scores:
    """The logit (N, 1) of a binary head, in float64. A probability so near 0 or 1 that float32 does not hold
    it is taken for the nearest that it does."""
    wide = outputs.astype(np.float64)
    return wide if head.output == "logits" else log_odds(np.clip(wide, SIGMOID, 1 - SIGMOID))


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
    """The same head, of outputs of the other kind; a threshold that is not the usual one moves along."""
    limit = head.threshold
    if head.output == output or limit is None:
        return replace(head, output=output)
    if limit == THRESHOLDS[head.output]:
        return Head.binary(output)
    moved = sigmoid(np.float64(limit)) if output == "probabilities" else log_odds(np.float64(limit))
    return Head.binary(output, float(moved))


def pair(head: Head, logit: Scores) -> Scores:
    """The scores (N, 2) of a binary head's logit (N, 1), as it is without its threshold."""
    assert head.threshold is not None
    limit = np.float64(np.float32(head.threshold))
    zero = limit if head.output == "logits" else log_odds(np.clip(limit, SIGMOID, 1 - SIGMOID))
    half = (logit - zero) / 2
    return np.concatenate([-half, half], axis=1)


def centred_scores(head: Head, values: NDArray[np.floating]) -> Scores:
    """Scores per class (N, classes) of logits (N, head.outputs), as errors are measured on them: beside the
    mean of their image, for no answer sees what is added to all of them.

    A binary head has one logit, and nothing to centre: it stands for the two of a softmax, whose mean is
    zero (`scores`), so that its SQNR is that of the logit itself, from the threshold on. Centred over the
    images instead, an error that is the same on all of them would not show, and it changes answers.
    """
    return centred(values) if head.kind == "classes" else pair(head, values.astype(np.float64))
