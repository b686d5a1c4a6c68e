"""How far the constants of a good export are from the reference's.

Measured on 64 good exports of 8 networks (benchmarks/defects.py), as this package compares them: int8
weights, rounded together and equalized, were up to 2.1 of their steps off, 99.5 % of them up to 1.32; their
gain was within 0.0015 and biases within 0.39 of 1/255 of the layer's range; float16 weights within 4.8e-4,
float32 ones the same to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resnet_edge.explanation.layers import Layer, Real


@dataclass(frozen=True)
class Tolerance:
    """Of a weight, in units (a step of its grid; the largest weight of its channel where it is in float):
    for all but SHARE of them, and for any. `gain` is of the whole tensor, `bias` in units of
    `bias_units`."""

    usual: float
    most: float
    gain: float
    bias: float


SHARE = 0.005
FEW_BEYOND = 5
"""So many weights may be beyond what is usual in any layer: 0.5 % of 32 is none, and rounding together moves
more of them where there are few."""
INTEGER = Tolerance(usual=1.75, most=4.0, gain=0.004, bias=1.0)
HALF = Tolerance(usual=1.5e-3, most=3e-3, gain=5e-4, bias=4e-3)
SINGLE = Tolerance(usual=1e-4, most=2e-4, gain=5e-5, bias=2e-4)


def tolerance_of(scheme: str, layer: Layer) -> Tolerance:
    """By how the layer stores its weights, whatever the rest of the file does."""
    if layer.step is not None:
        return INTEGER
    return HALF if scheme == "fp16" else SINGLE


def units(layer: Layer, meant: Real) -> Real:
    """What a weight is off by one of, (O, 1, 1, 1); in float a thousandth of the layer's largest at least,
    for a channel may have none."""
    if layer.step is not None:
        found: Real = np.maximum(layer.step, 1e-30).reshape(-1, 1, 1, 1)
    else:
        least = max(1e-3 * float(np.abs(meant).max(initial=0)), 1e-30)
        found = np.maximum(np.abs(meant).reshape(len(meant), -1).max(axis=1), least).reshape(-1, 1, 1, 1)
    return found


def bias_units(layer: Layer, meant: Real) -> float:
    """What a bias is off by one of: 1/255 of what the layer can give, or the largest bias."""
    if layer.grid is not None:
        return (layer.grid.high - layer.grid.low) / 255
    return max(float(np.abs(meant).max(initial=0)), 1e-6)
