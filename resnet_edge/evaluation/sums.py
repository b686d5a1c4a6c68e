"""Sums over all outputs, taken in blocks, so that 50,000 images of 1,000 classes fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import SIGMOID, answers, centred_scores, halves, log_odds, pair
from resnet_edge.core.head import Head
from resnet_edge.core.statistics import centred

BLOCK = 4096

SMALLEST = 1e-12
COARSEST = 1 / 256
"""The step of an int8 softmax output (TFLite fixes it)."""
STEPS = (COARSEST, 2.0**-15, 2.0**-24)
"""Of probabilities in int8 and int16 (TFLite fixes both), and of the smallest in float16."""
STEPS_OF_ONE = (COARSEST, 2.0**-11, 2.0**-15)
"""Of a probability above a half: in int8 and bfloat16, in float16, and in int16."""

Values = NDArray[np.float32]
Errors = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums of squares of the centred reference logits and of their errors; `max_abs` is the largest
    difference of an output as it stands (a logit or a probability). `largest` is the largest centred
    reference logit, `apart` the largest error of one, and `close` counts the images whose margin, the best
    less the second best logit of the reference, is within twice the largest error on that image: on no other
    can the answer change. `swapped` is the largest margin where it did. The margin of a label is its logit's
    from that of its threshold, and an image is close where one of its labels is. An embedding has none: what
    is near to what is told by all images together (evaluation/embeddings.py)."""

    signal: float
    noise: float
    max_abs: float
    largest: float
    apart: float
    close: int
    swapped: float


def measure(reference: Values, candidate: Values, head: Head) -> Sums:
    """Sums over outputs (N, outputs of the head), logits or probabilities.

    Probabilities on a grid say no more than that the exact one is within half a step: what lies there is no
    error. Below the smallest that the grid holds there is nothing to compare: an int16 softmax of TFLite has
    steps of 1/32768, and gives no score less than two of them.
    """
    errors_of = _errors(reference, candidate, head)
    signal = noise = max_abs = largest = apart = swapped = 0.0
    close = 0
    for ref, cand in _blocks(reference, candidate):
        max_abs = max(max_abs, float(np.abs(ref.astype(np.float64) - cand).max()))
        true, errors = errors_of(ref, cand)
        signal += float(np.square(true).sum())
        noise += float(np.square(errors).sum())
        largest = max(largest, float(np.abs(true).max()))
        apart = max(apart, float(np.abs(errors).max()))
        if head.kind == "embedding":
            continue
        margins, worst = _margins(true, errors, head)
        within = margins <= 2 * worst
        close += int(np.count_nonzero(within if within.ndim == 1 else within.any(axis=1)))
        changed = answers(head, ref) != answers(head, cand)
        swapped = max(swapped, float(margins[changed].max(initial=0.0)))
    return Sums(
        signal=signal,
        noise=noise,
        max_abs=max_abs,
        largest=largest,
        apart=apart,
        close=close,
        swapped=swapped,
    )


def _blocks(reference: Values, candidate: Values) -> Iterator[tuple[Values, Values]]:
    for start in range(0, len(reference), BLOCK):
        yield reference[start : start + BLOCK], candidate[start : start + BLOCK]


def _errors(reference: Values, candidate: Values, head: Head) -> Callable[[Values, Values], Errors]:
    """What makes of a block of both the centred logits (N, classes) of the reference, and their errors."""
    if head.output != "probabilities":
        return partial(_of_logits, head=head)
    if head.separate:
        return partial(_of_one_probability, grid=_grid_of_one(reference, candidate), head=head)
    return partial(_of_probabilities, grid=_grid(reference, candidate))


def _of_logits(ref: Values, cand: Values, head: Head) -> Errors:
    true = centred_scores(head, ref)
    return true, true - centred_scores(head, cand)


@dataclass(frozen=True)
class _Grid:
    """Half a step of the grids that probabilities are on (0: on none), and what they are compared above
    (and, of one probability, as much below 1)."""

    half: float
    floor: float


def _grid(reference: Values, candidate: Values) -> _Grid:
    steps = [(_step(values), values) for values in (reference, candidate)]
    half = sum(step for step, _ in steps) / 2
    if not half:
        return _Grid(0.0, SMALLEST)
    least = max(float(values.min()) for step, values in steps if step)
    return _Grid(half, max(half, min(least + half, COARSEST)))


def _of_probabilities(ref: Values, cand: Values, grid: _Grid) -> Errors:
    """Logarithms are logits again, up to a constant per row. A candidate stands for all in half a step."""
    half, floor = grid.half, grid.floor
    true = _log(ref, floor)
    if not half:
        return centred(true), centred(true) - centred(_log(cand, floor))
    wide = cand.astype(np.float64)
    nearest = np.clip(true, _log(wide - half, floor), _log(wide + half, floor))
    return centred(true), true - nearest


def _grid_of_one(reference: Values, candidate: Values) -> _Grid:
    """Of the probability of a sigmoid, which has no second output to tell how near to 1 it is: what float32
    keeps of that is off by what runtimes make of it, and shorter types have steps. Integers hold 0 and do
    not hold 1: what is nearer to either than what both hold is not compared."""
    half = 2 * SIGMOID
    least = 0.0
    for values in (reference, candidate):
        upper = values[values >= 0.5]
        sample = upper if upper.size else values
        step = next((step for step in STEPS_OF_ONE if _is_whole(sample, step)), 0.0)
        half += step / 2
        least = max(least, min(step, float(np.minimum(values, 1 - values).min())))
    return _Grid(half, max(half, min(least + half, COARSEST)))


def _of_one_probability(ref: Values, cand: Values, grid: _Grid, head: Head) -> Errors:
    """As `_of_probabilities`, of the second of two classes (N, 1), or of labels (N, labels)."""
    half, floor = grid.half, grid.floor
    true, wide = _odds(ref, floor), cand.astype(np.float64)
    nearest = np.clip(true, _odds(wide - half, floor), _odds(wide + half, floor))
    scores = pair if head.kind == "binary" else halves
    return scores(head, true), scores(head, true) - scores(head, nearest)


def _odds(values: NDArray[np.floating], floor: float) -> NDArray[np.float64]:
    return log_odds(np.clip(values.astype(np.float64), floor, 1 - floor))


def _log(values: NDArray[np.floating], floor: float) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.log(np.clip(values.astype(np.float64), floor, 1.0))
    return result


def _margins(true: NDArray[np.float64], errors: NDArray[np.float64], head: Head) -> Errors:
    """Of every answer, how far it is before the next, and the largest error beside it."""
    worst: NDArray[np.float64] = np.abs(errors)
    if head.kind == "multilabel":  # half of a logit's distance from the threshold, and of its error
        return 2 * np.abs(true), worst
    best = np.partition(true, -2, axis=1)
    margins: NDArray[np.float64] = best[:, -1] - best[:, -2]
    return margins, worst.max(axis=1)


def _step(values: Values) -> float:
    """The step of the grid that probabilities are on; 0 where they are on none.

    Where a value is 0 and no grid is known, it is the smallest that is told from zero, within COARSEST, so
    that an output that knows only 0 and 1 is not compared with nothing.
    """
    for step in STEPS:
        if all(_is_whole(block, step) for block, _ in _blocks(values, values)):
            return step
    if (values > 0).all():
        return 0.0
    above = values[values > 0]
    return float(np.clip(above.min(), SMALLEST, COARSEST)) if above.size else COARSEST


def _is_whole(values: Values, step: float) -> bool:
    steps = values.astype(np.float64) / step
    return bool((steps == np.rint(steps)).all())
