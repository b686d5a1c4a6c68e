"""Sums over all outputs, taken in blocks, so that 50,000 images of 1,000 classes fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.statistics import centred

BLOCK = 4096

SMALLEST = 1e-12
COARSEST = 1 / 256
"""The step of an int8 softmax output (TFLite fixes it)."""


@dataclass(frozen=True)
class Sums:
    """Sums of squares of the centred reference logits and of their errors; `max_abs` is the
    largest difference of an output as it stands (a logit or a probability)."""

    signal: float
    noise: float
    max_abs: float


def measure(reference: NDArray[np.float32], candidate: NDArray[np.float32], output: str) -> Sums:
    """Sums over outputs (N, classes); `output` says whether they are logits or probabilities."""
    floor = _floor(candidate) if output == "probabilities" else None
    signal = noise = max_abs = 0.0
    for start in range(0, len(reference), BLOCK):
        ref, cand = reference[start : start + BLOCK], candidate[start : start + BLOCK]
        max_abs = max(max_abs, float(np.abs(ref.astype(np.float64) - cand).max()))
        true = centred(_logits(ref, floor))
        signal += float(np.square(true).sum())
        noise += float(np.square(true - centred(_logits(cand, floor))).sum())
    return Sums(signal, noise, max_abs)


def _logits(values: NDArray[np.float32], floor: float | None) -> NDArray[np.float32] | NDArray[np.float64]:
    """The logits, or the logarithms of probabilities: logits again, up to a constant per row."""
    if floor is None:
        return values
    result: NDArray[np.float64] = np.log(np.clip(values.astype(np.float64), floor, 1.0))
    return result


def _floor(candidate: NDArray[np.float32]) -> float:
    """The smallest probability that the candidate tells from zero, within SMALLEST to COARSEST.

    A quantized softmax stores what is below half a step as 0, whose logarithm would drown
    all else: both sides are compared above that floor only. It is bounded, so that an output
    that knows only 0 and 1 is not compared with nothing.
    """
    if (candidate > 0).all():
        return SMALLEST
    above = candidate[candidate > 0]
    return float(np.clip(above.min(), SMALLEST, COARSEST)) if above.size else COARSEST
