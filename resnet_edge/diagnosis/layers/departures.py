"""Whether what a section of an artifact gives is what the reference's weights give on the same inputs.

What rounding may do is known as variances V of the channels and as largest errors (rounding.py). Rounding to
the nearest is sub-Gaussian, so that for all but a share e^-T of networks (D. Hsu, S. Kakade, T. Zhang, A tail
inequality for quadratic forms of subgaussian random vectors, arXiv:1110.2842)

    the sum of errors squared  <=  sum V + 2 sqrt(T sum V^2) + 2 T max V,
    a sum of errors            <=  sqrt(2 T sum of variances).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.limits import Limits
from resnet_edge.diagnosis.layers.rounding import Rounding
from resnet_edge.diagnosis.layers.steps import Real, StepGrid

UNKNOWN = 1e30
"""A variance from which on nothing is known of a tensor."""
T = 20.7
"""A good layer is taken for a wrong one once in 10^9."""


class DepartureSums:
    """Over images, of one tensor (…, C): what was seen against what was expected."""

    def __init__(self, channels: int) -> None:
        self.n, self.images, self.finite = 0, 0, True
        self._sums = np.zeros((11, channels))
        self._each = np.zeros((2, channels))  # means of single images, and their squares, summed
        self._ends: tuple[Real, Real] | None = None

    def add(
        self,
        expected: NDArray[np.float32],
        seen: NDArray[np.float32],
        grid: StepGrid | None,
        limits: Limits | None = None,
    ) -> None:
        """One image more, of a tensor on a `grid`; what is beyond its `limits` (those of its grid, if none
        are given) is cut off, and is no departure of the layer."""
        r = np.asarray(expected, np.float64).reshape(-1, self._sums.shape[1])
        y = np.asarray(seen, np.float64).reshape(r.shape)
        if not (np.isfinite(y).all() and np.isfinite(r).all()):
            self.finite &= not np.isfinite(r).all()  # what is read may be at fault
            return
        limits = limits or ((np.asarray(grid.low), np.asarray(grid.high)) if grid is not None else None)
        held = r if limits is None else np.clip(r, *limits)
        e = y - held
        nearest = held if grid is None else grid.low + np.rint((held - grid.low) / grid.step) * grid.step
        on_grid = y - nearest
        if self._ends is None:
            self._ends = r.min(axis=0), r.max(axis=0)
        alike = ((r == self._ends[0]) | (r == self._ends[1])) & ~np.isclose(nearest, held, rtol=1e-6)
        for row, term in enumerate(
            (held, y, e, on_grid, held**2, y**2, e**2, held * e, held * on_grid, (r - held) ** 2, alike)
        ):
            self._sums[row] += term.sum(axis=0)
        self._each += e.mean(axis=0), np.square(e.mean(axis=0))
        self.n, self.images = self.n + len(r), self.images + 1

    def _mean(self, row: int) -> Real:
        mean: Real = self._sums[row] / max(self.n, 1)
        return mean

    @property
    def expected(self) -> Real:
        """Means (C,)."""
        return self._mean(0)

    @property
    def seen(self) -> Real:
        """Means (C,)."""
        return self._mean(1)

    @property
    def shift(self) -> Real:
        """By how much the mean of each channel is off, rounding to the grid apart."""
        plain, on_grid = self._mean(2), self._mean(3)
        return np.where(np.abs(on_grid) < np.abs(plain), on_grid, plain)

    @property
    def shift_variance(self) -> Real:
        """Of the means (C,) over all images, from how they differ between these."""
        mean, square = self._each / max(self.images, 1)
        variance: Real = np.maximum(square - np.square(mean), 0) / max(self.images - 1, 1)
        return variance

    @property
    def power(self) -> Real:
        """Mean squares (C,) of what was expected."""
        return self._mean(4)

    @property
    def seen_power(self) -> Real:
        """Mean squares (C,) of what was seen."""
        return self._mean(5)

    @property
    def error(self) -> Real:
        """Mean squares (C,) of the errors."""
        return self._mean(6)

    @property
    def lost(self) -> Real:
        """Mean squares (C,) of what the grid cuts off."""
        return self._mean(9)

    @property
    def alike(self) -> Real:
        """The share (C,) of values that are one number beside the grid, which is rounded alike each time: the
        least or the greatest of a channel, behind a ReLU or a limit."""
        return self._mean(10)

    @property
    def slopes(self) -> tuple[float, float]:
        """By what share of itself the whole is off, with the grid's rounding and without."""
        power = float(self.power.sum())
        if power <= 0:
            return 0.0, 0.0
        return float(self._mean(7).sum()) / power, float(self._mean(8).sum()) / power

    @property
    def products(self) -> Real:
        """Mean products (C,) of what was expected and seen."""
        products: Real = self._mean(4) + self._mean(7)
        return products


@dataclass(frozen=True, kw_only=True)
class Departure:
    """`kind`: nan, shift, slope or error; `times`: how often the error is what rounding allows. `excused`:
    the tensor is what the reference itself has, and so is right whatever it was computed from."""

    kind: str
    times: float
    channels: tuple[int, ...] = ()
    excused: bool = False


def known(rounding: Rounding) -> bool:
    """Whether a tensor can be judged at all."""
    return bool((np.asarray(rounding.random) < UNKNOWN).all())


def binding(expected: DepartureSums, rounding: Rounding) -> bool:
    """Whether a tensor is held to anything: zeros in its place would be beyond its rounding."""
    if not known(rounding) or not expected.n:
        return False
    variance, hard = (np.broadcast_to(x, expected.power.shape) for x in (rounding.random, rounding.hard))
    mean = np.abs(expected.expected)
    if (mean > _most_shift(expected, variance, hard, rounding.own)).any():
        return True
    centred = np.sqrt(np.maximum(expected.power - mean**2, 0))
    each, whole = _most_error(variance, hard + rounding.own)
    return bool((centred > each).any() or np.linalg.norm(centred) > whole)


def departure(replayed: DepartureSums, own: DepartureSums, rounding: Rounding) -> Departure | None:
    """What of a tensor is beyond its rounding, against the replay of its section and against the reference's
    `own` activations. Constants of a repair (bias correction: M. Nagel et al., arXiv:1906.04721) bring a
    layer from the first to the second, and what is as good as either is no departure."""
    if not replayed.finite:
        return Departure(kind="nan", times=np.inf)
    variance, hard = (np.broadcast_to(x, replayed.power.shape) for x in (rounding.random, rounding.hard))
    if not replayed.n or not known(rounding):
        return None
    departing = _departure(replayed, own, variance, hard, rounding.own)
    if departing is None or not own.n or _departure(own, own, variance, hard, rounding.own) is not None:
        return departing
    return replace(departing, excused=True)


def _departure(
    sums: DepartureSums, own: DepartureSums, variance: Real, hard: Real, half: float
) -> Departure | None:
    n, shift = max(sums.n, 1), np.abs(sums.shift)
    if own.n:  # a mean that was corrected on other images is right but for what they differ by from these
        beyond = np.maximum(np.abs(own.shift) - np.sqrt(2 * T * own.shift_variance), 0)
        shift = np.where(np.abs(own.shift) < shift, beyond, shift)
    if (departing := _beyond("shift", shift, _most_shift(sums, variance, hard, half))) is not None:
        return departing
    centred = np.sqrt(np.maximum(sums.error - sums.shift**2, 0))
    each, bound = _most_error(variance, hard + half)
    if (departing := _beyond("error", centred, each)) is not None:
        return departing
    whole = float(np.linalg.norm(centred))
    if whole > bound + 1e-30:
        return Departure(kind="error", times=whole / max(bound, 1e-30))
    power = float(sums.power.sum())
    if power <= 0:
        return None
    spread = (variance + half**2 / n) @ sums.power
    together = hard + half * sums.alike
    most = float(np.sqrt(2 * T * spread) + (together * np.sqrt(sums.power)).sum()) / power
    slope = min(map(abs, sums.slopes))
    return Departure(kind="slope", times=slope / max(most, 1e-30)) if slope > most else None


def _most_shift(sums: DepartureSums, variance: Real, hard: Real, half: float) -> Real:
    """By what the means (C,) may be off."""
    allowed: Real = np.sqrt(2 * T * (variance + half**2 / max(sums.n, 1))) + hard + half * sums.alike
    return allowed


def _most_error(variance: Real, hard: Real) -> tuple[Real, float]:
    """The most that errors may be in each channel (C,), and in all together."""
    each = np.sqrt(variance * (1 + 2 * np.sqrt(T) + 2 * T)) + hard
    total = variance.sum() + 2 * np.sqrt(T * np.square(variance).sum()) + 2 * T * variance.max(initial=0)
    return each, float(np.sqrt(total) + np.sqrt(np.square(hard).sum()))


def _beyond(kind: str, measured: Real, allowed: Real) -> Departure | None:
    over = np.flatnonzero(measured > allowed + 1e-30)
    if not over.size:
        return None
    times = float((measured[over] / np.maximum(allowed[over], 1e-30)).max())
    return Departure(kind=kind, times=times, channels=tuple(over.tolist()))
