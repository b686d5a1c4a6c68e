"""Weights rounded together, so that their errors cancel on the inputs that occur.

Each weight of a row is rounded in turn, and what the rounding of those before has done to the
layer's output is made up for by it, as far as can be: the result of E. Frantar et al., "GPTQ",
arXiv:2210.17323, section 3, computed as Babai's nearest plane, which needs no inverse (J. Chen
et al., arXiv:2507.18553, show that they are the same). What is minimised is the mean square of
the change of the output over the patches of moments.py, so that bias correction is in it: a
mean that shifts is part of the square.

The rounded weights are float32 multiples of the row's step, with one of them at full scale,
so that quantize.py finds the same step and the same integers again. A weight that is zero stays so:
it was pruned, and the download is smaller for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.moments import Moments
from resnet_edge.graph.weighted import LARGEST_WEIGHT, Layer

DAMPING = 0.01
"""Of the mean of the diagonal, added to it: the patches are a sample."""
PATCHES_PER_TAP = 3
"""Fewer, and the weights would be fitted to the sample."""
MOST_TAPS = 2304
WORTH = 4_000_000_000
"""Multiply-accumulates that rounding all layers may take (seconds): 0.2e9 for a ResNet-20 for
small images, 25e9 for a ResNet-50, whose layers have thousands of taps."""


def can_round(layer: Layer) -> bool:
    """Whether a layer is of a kind, and of a size, for which this is done."""
    return layer.op in ("CONV_2D", "FULLY_CONNECTED") and layer.rows.shape[1] <= MOST_TAPS


def work(found: list[Layer]) -> int:
    """How many multiply-accumulates rounding these layers takes, about."""
    return sum(layer.rows.shape[0] * layer.rows.shape[1] ** 2 for layer in found if can_round(layer))


def enough(moments: Moments) -> bool:
    """Whether the second moments rest on enough patches."""
    return moments.count >= PATCHES_PER_TAP * len(moments.first)


def rounded_together(layer: Layer, second: NDArray[np.float64]) -> NDArray[np.float32]:
    """The rows (O, taps) of a layer on its int8 grid; `second` (taps, taps) are the second
    moments of its patches."""
    steps = layer.steps.astype(np.float64)[:, None]
    safe = np.where(steps > 0, steps, 1.0)
    rows = layer.rows.astype(np.float64) / safe  # in steps
    full = np.abs(rows).argmax(axis=1)
    sign = np.sign(rows[np.arange(len(rows)), full])
    order = np.argsort(-np.diag(second), kind="stable")  # those that weigh most go first
    factor = _factor(second[np.ix_(order, order)])
    errors = np.zeros_like(rows)
    integers = np.empty_like(rows)
    for column, tap in enumerate(order):
        carried = errors[:, :column] @ factor[column, :column]
        value = np.clip(
            np.rint(rows[:, tap] + carried / factor[column, column]), -LARGEST_WEIGHT, LARGEST_WEIGHT
        )
        value = np.where(full == tap, sign * LARGEST_WEIGHT, value)
        integers[:, tap] = np.where(rows[:, tap] == 0, 0, value)
        errors[:, column] = rows[:, tap] - integers[:, tap]
    return integers.astype(np.float32) * layer.steps[:, None]


def _factor(second: NDArray[np.float64]) -> NDArray[np.float64]:
    """F, lower triangular, with F^T F the damped moments: an error e (taps,) of a row changes
    its output by |F e|^2 on average, of which row j depends on the first j errors only."""
    damped = second + np.eye(len(second)) * max(DAMPING * float(np.diag(second).mean()), 1e-12)
    upper = np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]  # upper upper^T = damped
    return np.ascontiguousarray(upper.T)
