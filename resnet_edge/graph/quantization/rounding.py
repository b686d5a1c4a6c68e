"""Weights rounded together, so that their errors cancel on the inputs that occur.

Each weight of a row is rounded in turn, and what the rounding of those before has done to the
layer's output is made up for by it, as far as can be: the result of E. Frantar et al., "GPTQ",
arXiv:2210.17323, section 3, computed as Babai's nearest plane, which needs no inverse (J. Chen
et al., arXiv:2507.18553, show that they are the same). What is minimised is the mean square of
the change of the output over the patches of moments.py, so that bias correction is in it: a
mean that shifts is part of the square.

The rounded weights are float32 multiples of the row's step, so that int8_rows.py finds the same step and
the same integers again. No two neighbours can overflow (pair_bound.py): what a weight must give up for its
neighbour, those after it make up for. A weight that is zero stays so: it was pruned, and the download is
smaller for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.quantization.moments import Moments
from resnet_edge.graph.quantization.pair_bound import LARGEST_WEIGHT, MOST_OF_PAIR, full_scales, limits
from resnet_edge.graph.quantization.weighted import Layer

DAMPING = 0.01
"""Of the mean of the diagonal, added to it: the patches are a sample."""
PATCHES_PER_TAP = 3
"""Fewer, and the weights would be fitted to the sample."""
MOST_TAPS = 2304
TRIED = 4096
"""Taps of a row that are rounded to find its best step: rows of fewer are rounded more than once."""
WORTH = 4_000_000_000
"""Multiply-accumulates that rounding all layers may take (seconds): 0.2e9 for a ResNet-20 for
small images, 25e9 for a ResNet-50, whose layers have thousands of taps."""


def can_round(layer: Layer) -> bool:
    """Whether a layer is of a kind, and of a size, for which this is done."""
    return layer.op in ("CONV_2D", "FULLY_CONNECTED") and layer.rows.shape[1] <= MOST_TAPS


def work(layers: list[Layer]) -> int:
    """How many multiply-accumulates rounding these layers takes, about."""
    return sum(layer.rows.shape[0] * layer.rows.shape[1] ** 2 for layer in layers if can_round(layer))


def enough(moments: Moments) -> bool:
    """Whether the second moments rest on enough patches."""
    return moments.count >= PATCHES_PER_TAP * len(moments.first)


def rounded_together(layer: Layer, second: NDArray[np.float64]) -> NDArray[np.float32]:
    """The rows (O, taps) of a layer on its int8 grid; `second` (taps, taps) are the second
    moments of its patches. Of several steps each row has the one that disturbs its output least."""
    rows = layer.rows.astype(np.float64)
    order = np.argsort(-np.diag(second), kind="stable")  # those that weigh most go first
    factor = _factor(second[np.ix_(order, order)])
    cost = np.empty(len(order))
    cost[order] = np.square(np.diag(factor))  # of an error that those after it have made up for
    steps = _steps(rows, cost, layer)
    trials = np.tile(rows, (len(steps), 1)) / np.where(steps > 0, steps, 1.0).reshape(-1, 1)
    integers, noise = _rounded(trials, order, factor, cost, layer.paired)
    off = noise.reshape(steps.shape) * steps**2
    best = np.repeat(off.sum(axis=1).argmin(), len(rows)) if layer.one_step else off.argmin(axis=0)
    chosen = best, np.arange(len(rows))
    weights: NDArray[np.float32] = integers.reshape(len(steps), *rows.shape)[chosen].astype(np.float32)
    weights *= steps[chosen].astype(np.float32)[:, None]
    return weights


def _steps(rows: NDArray[np.float64], cost: NDArray[np.float64], layer: Layer) -> NDArray[np.float64]:
    """Steps (n, O) that come into question for each row, or for all rows together."""
    tried, count = max(1, TRIED // rows.shape[1]), len(rows)
    if layer.one_step:
        odd = rows.shape[1] % 2  # pairs stay pairs
        rows = np.pad(rows, ((0, 0), (0, odd))).reshape(1, -1)
        cost = np.tile(np.pad(cost, (0, odd)), count)
    scales = full_scales(rows, cost, tried) if layer.paired else np.full((1, len(rows)), LARGEST_WEIGHT)
    steps = np.asarray(np.abs(rows).max(axis=1) / scales)
    return np.repeat(steps, count, axis=1) if layer.one_step else steps


def _rounded(
    rows: NDArray[np.float64],
    order: NDArray[np.intp],
    factor: NDArray[np.float64],
    cost: NDArray[np.float64],
    paired: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows (in steps) as integers, and the mean square of what each then changes its output by."""
    bounds = _Bounds(rows, cost, paired)
    errors, integers = np.zeros_like(rows), np.empty_like(rows)
    for column, tap in enumerate(order):
        carried = errors[:, :column] @ factor[column, :column]
        value = bounds.within(tap, np.rint(rows[:, tap] + carried / factor[column, column]))
        integers[:, tap] = np.where(rows[:, tap] == 0, 0, value)
        bounds.settle(tap, integers[:, tap])
        errors[:, column] = rows[:, tap] - integers[:, tap]
    return integers, np.square(errors @ factor.T).sum(axis=1)


class _Bounds:
    """Between which integers each weight of rows (O, taps; in steps) may lie, as neighbours are settled."""

    def __init__(self, rows: NDArray[np.float64], cost: NDArray[np.float64], paired: bool) -> None:
        self._paired = paired
        if paired:
            self._low, self._high = limits(rows, cost)
        else:
            self._high = np.full_like(rows, LARGEST_WEIGHT)
            self._low = -self._high

    def within(self, tap: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`values` (O,) for a tap, brought within its bounds."""
        inside: NDArray[np.float64] = np.clip(values, self._low[:, tap], self._high[:, tap])
        return inside

    def settle(self, tap: int, values: NDArray[np.float64]) -> None:
        """The weights of a tap are `values`: what they leave is their neighbours'."""
        neighbour = tap ^ 1
        if self._paired and neighbour < self._high.shape[1]:
            most = np.full(len(values), LARGEST_WEIGHT)
            self._high[:, neighbour] = np.minimum(MOST_OF_PAIR - np.maximum(values, 0), most)
            self._low[:, neighbour] = -np.minimum(MOST_OF_PAIR - np.maximum(-values, 0), most)


def _factor(second: NDArray[np.float64]) -> NDArray[np.float64]:
    """F, lower triangular, with F^T F the damped moments: an error e (taps,) of a row changes
    its output by |F e|^2 on average, of which row j depends on the first j errors only."""
    damped = second + np.eye(len(second)) * max(DAMPING * float(np.diag(second).mean()), 1e-12)
    upper = np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]  # upper upper^T = damped
    return np.ascontiguousarray(upper.T)
