"""Sums over all outputs, taken in blocks, so that 50,000 images of 1,000 classes fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.statistics import centred

BLOCK = 4096

SMALLEST = 1e-12
COARSEST = 1 / 256
"""The step of an int8 softmax output (TFLite fixes it)."""
STEPS = (COARSEST, 2.0**-15, 2.0**-24)
"""Of probabilities in int8 and int16 (TFLite fixes both), and of the smallest in float16."""

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Sums:
    """Sums of squares of the centred reference logits and of their errors; `max_abs` is the largest
    difference of an output as it stands (a logit or a probability). `largest` is the largest centred
    reference logit, `apart` the largest error of one, and `close` counts the images whose margin, the best
    less the second best logit of the reference, is within twice the largest error on that image: on no other
    can the answer change. `swapped` is the largest margin where it did."""

    signal: float
    noise: float
    max_abs: float
    largest: float
    apart: float
    close: int
    swapped: float


def measure(reference: Values, candidate: Values, output: str) -> Sums:
    """Sums over outputs (N, classes); `output` says whether they are logits or probabilities.

    Probabilities on a grid say no more than that the exact one is within half a step: what lies there is no
    error. Below the smallest that the grid holds there is nothing to compare: an int16 softmax of TFLite has
    steps of 1/32768, and gives no score less than two of them.
    """
    grid = _grid(reference, candidate) if output == "probabilities" else None
    signal = noise = max_abs = largest = apart = swapped = 0.0
    close = 0
    for ref, cand in _blocks(reference, candidate):
        max_abs = max(max_abs, float(np.abs(ref.astype(np.float64) - cand).max()))
        true, errors = _logits(ref, cand) if grid is None else _of_probabilities(ref, cand, grid)
        signal += float(np.square(true).sum())
        noise += float(np.square(errors).sum())
        worst = np.abs(errors).max(axis=1)
        largest, apart = max(largest, float(np.abs(true).max())), max(apart, float(worst.max()))
        margins = _margins(true)
        close += int(np.count_nonzero(margins <= 2 * worst))
        changed = ref.argmax(axis=1) != cand.argmax(axis=1)
        swapped = max(swapped, float(margins[changed].max(initial=0.0)))
    return Sums(signal, noise, max_abs, largest, apart, close, swapped)


def _blocks(reference: Values, candidate: Values) -> Iterator[tuple[Values, Values]]:
    for start in range(0, len(reference), BLOCK):
        yield reference[start : start + BLOCK], candidate[start : start + BLOCK]


def _logits(ref: Values, cand: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    true = centred(ref)
    return true, true - centred(cand)


@dataclass(frozen=True)
class _Grid:
    """Half a step of the grids that probabilities are on (0: on none), and what they are compared above."""

    half: float
    floor: float


def _grid(reference: Values, candidate: Values) -> _Grid:
    steps = [(_step(values), values) for values in (reference, candidate)]
    half = sum(step for step, _ in steps) / 2
    if not half:
        return _Grid(0.0, SMALLEST)
    least = max(float(values.min()) for step, values in steps if step)
    return _Grid(half, max(half, min(least + half, COARSEST)))


def _of_probabilities(
    ref: Values, cand: Values, grid: _Grid
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms are logits again, up to a constant per row. A candidate stands for all in half a step."""
    half, floor = grid.half, grid.floor
    true = _log(ref, floor)
    if not half:
        return centred(true), centred(true) - centred(_log(cand, floor))
    wide = cand.astype(np.float64)
    nearest = np.clip(true, _log(wide - half, floor), _log(wide + half, floor))
    return centred(true), true - nearest


def _log(values: NDArray[np.floating], floor: float) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.log(np.clip(values.astype(np.float64), floor, 1.0))
    return result


def _margins(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    best = np.partition(logits, -2, axis=1)
    margins: NDArray[np.float64] = best[:, -1] - best[:, -2]
    return margins


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
