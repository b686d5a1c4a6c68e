"""How far an artifact's declared number types let each of its tensors be from what exact arithmetic gives.

Steps are gone through in order, from tensors that are taken as they are (the cuts) to the next ones. What is
known of an error is the most that it can be (`hard`: half a step of a grid), or the variance that it has over
the rounding of many weights (`random`). Roundings to the nearest are uniform within half a step, which is
sub-Gaussian with its own variance: sums of them have tails as bounded in departures.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from resnet_edge.diagnosis.layers.limits import keeps_limits
from resnet_edge.diagnosis.layers.powers import Powers
from resnet_edge.diagnosis.layers.steps import (
    AS_REAL,
    ROUNDERS,
    Constant,
    LayerStep,
    OpenedSteps,
    Real,
    StepGrid,
    Weights,
    named_kernel,
)

SINGLE = 1e-4
"""Of the size of a tensor: what float32 kernels of two runtimes may differ by, 80 dB. A unit in the last
place is 2 ** -24, and a sum of n products loses at most n of them."""
REAL = 2.0**-22
"""Of the ends of a grid: what float32 leaves of integers that are read as real numbers."""
SAME_PLACE = frozenset({
    "quantize", "dequantize", "quantizelinear", "dequantizelinear", "cast", "identity", "pad", "padv2",
    "mirror_pad", "maxpool", "max_pool_2d", "resize", "resize_nearest_neighbor", "dropout",
    "globalmaxpool", "slice", "strided_slice",
})  # fmt: skip
"""Moves after which channels are where they were."""
TABLES = frozenset({"softmax", "logistic", "tanh", "elu", "gelu", "hard_swish"})
"""What TFLite's kernels for int16 take from tables of 513 entries, and interpolate."""


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """Of one tensor; arrays broadcast to it. `own` is half a step of its own grid, which comes last.
    `single`: nothing but float32 has rounded it. `lost` is the mean square of what a grid on the way cut off,
    where the tensor has the ends of that grid itself (limits.py): there it is no error."""

    random: Real
    hard: Real
    own: float = 0.0
    single: bool = False
    lost: Real = field(default_factory=lambda: np.zeros(()))

    @property
    def whole(self) -> Real:
        """The most, with that of its own grid."""
        hard: Real = self.hard + self.own
        return hard

    def behind(self, step: LayerStep) -> Rounding:
        """As an operation takes it: what was cut off is an error behind one that does not keep the ends."""
        if keeps_limits(step) or not self.lost.any():
            return replace(self, lost=np.zeros(()))
        return replace(self, hard=self.hard + np.sqrt(self.lost.max()), lost=np.zeros(()))

    @property
    def none(self) -> bool:
        """Whether it is exact."""
        return not (self.own or self.random.any() or self.hard.any() or self.lost.any())


EXACT = Rounding(random=np.zeros(()), hard=np.zeros(()), single=True)
UNKNOWN = Rounding(random=np.full((), np.inf), hard=np.zeros(()))


def roundings(opened: OpenedSteps, powers: Powers, cuts: Mapping[str, bool]) -> dict[str, Rounding]:
    """Of every activation, from the cuts before it on; the image itself is taken as it is. Cuts say whether
    their scale was estimated: then it is as uncertain as the tensor that it was estimated from."""
    with np.errstate(all="ignore"):  # what is not known is infinite, and a factor of zero makes it NaN
        walk = _Walk(opened, powers)
        exact = _gone_through(opened, walk, dict.fromkeys(cuts, EXACT))
        estimated = [name for name, was in cuts.items() if was]
        if not estimated:
            return exact
        # A factor was fitted to what its own section gives: what is before that does not add to its error.
        off = {name: Rounding(random=exact[name].random, hard=np.zeros(())) for name in estimated}
        return _gone_through(opened, walk, dict.fromkeys(cuts, EXACT) | off)


def _gone_through(opened: OpenedSteps, walk: _Walk, cuts: Mapping[str, Rounding]) -> dict[str, Rounding]:
    state = {opened.entry: EXACT}
    roundings = {opened.entry: EXACT}
    held = {*cuts}  # what is held to the reference, wherever it is moved
    for step in opened.steps:
        given = [state.get(name, UNKNOWN) for name in step.reads]
        if step.kind == "move" and held.issuperset(step.reads):
            held.update(step.gives)
        through = walk.through(step, given)
        single = all(one.single for one in given) and walk.keeps_single(step)
        lost = walk.cut_off(step, given, held)
        for name in step.gives:
            roundings[name] = replace(walk.stored(step, name, through), single=single, lost=lost)
            state[name] = cuts.get(name, roundings[name])
    return roundings


class _Walk:
    """One file's steps, each from what its inputs are off by to what its output is."""

    def __init__(self, opened: OpenedSteps, powers: Powers) -> None:
        self.opened, self.powers = opened, powers
        self.held = opened.held_grids()

    def through(self, step: LayerStep, given: list[Rounding]) -> Rounding:
        """Without what storing the output rounds."""
        if step.kind == "weighted" and step.weights is not None and given:
            return self._weighted(step, step.weights, given[0])
        given = [one.behind(step) for one in given]
        if step.kind == "move":
            return self._moved(step, given)
        if step.kind == "elementwise":
            return self._elementwise(step, given)
        if step.kind == "sum":
            return _summed(given, step.constant)
        if step.kind in ("product", "quotient"):
            return self._product(step, given)
        return self._opaque(step, given)

    def keeps_single(self, step: LayerStep) -> bool:
        """Whether it computes in float32, with constants that nothing has rounded."""
        if any(name in self.opened.grids for name in step.gives):
            return False
        constants = [step.constant]
        if step.weights is not None:
            if step.weights.variance.any():
                return False
            constants.append(step.weights.bias)
        return not any(constant is not None and constant.variance.any() for constant in constants)

    def cut_off(self, step: LayerStep, given: list[Rounding], held: Collection[str]) -> Real:
        """Mean squares of what grids cut off on the way, where it keeps their ends: of a tensor that is held
        to the reference itself, and what reads it is replayed on all of it. Of others, how much is beyond a
        grid may be the fault that is sought."""
        if not keeps_limits(step):
            return np.zeros(())
        lost = given[0].lost
        if step.kind == "product" and step.constant is not None:
            lost = lost * np.square(step.constant.values)
        if lost.any() and step.axes is not None:
            lost = _transposed(lost, step.axes)
        elif lost.any():
            lost = _fitted(lost, self._shape(step.gives[0]))
        if step.op in ROUNDERS and step.gives[0] in self.powers.cut and step.reads[0] in held:
            lost = lost + self.powers.cut[step.gives[0]] / self.powers.images
        return np.asarray(lost)

    def _opaque(self, step: LayerStep, given: list[Rounding]) -> Rounding:
        """Through an operation of which it is not known by how much it enlarges errors. Those of float32 are
        a thousandth of what is allowed for them (SINGLE), and may grow so much."""
        if step.constant is not None and step.constant.variance.any():
            return UNKNOWN
        if all(one.none for one in given):
            return EXACT
        if not all(one.single for one in given):
            return UNKNOWN
        shares = [
            float(np.max(one.whole)) / size if (size := np.sqrt(self.powers.loudest(name))) else 0.0
            for name, one in zip(step.reads, given, strict=True)
        ]
        size = np.sqrt(self.powers.loudest(step.gives[0])) if step.gives[0] in self.powers.shapes else 0.0
        return Rounding(random=np.zeros(()), hard=np.asarray(max(shares) * size))

    def stored(self, step: LayerStep, name: str, rounding: Rounding) -> Rounding:
        """With what the type of the output rounds."""
        grid = self.opened.grids.get(name)
        size = np.sqrt(self.powers.loudest(name))
        if grid is not None:
            on_grid = self._on_grid(step, rounding, grid)
            # The multipliers of int16 kernels have 15 bits (MultiplyByQuantizedMultiplier of LiteRT).
            more = SINGLE * size if step.kind != "move" else 0.0
            return Rounding(random=on_grid.random, hard=on_grid.hard + more, own=on_grid.own)
        more = SINGLE * size if step.kind != "move" else 0.0
        return Rounding(random=rounding.random, hard=rounding.hard + more, own=rounding.own)

    def _on_grid(self, step: LayerStep, rounding: Rounding, grid: StepGrid) -> Rounding:
        if step.kind == "other" or (step.op in TABLES and grid.high - grid.low > 256 * grid.step):
            return UNKNOWN  # how far its integer kernel is off is not known
        size, least = grid.step, REAL * max(abs(grid.low), abs(grid.high))
        if step.kind == "move":
            held = self.held if step.op in ROUNDERS else self.opened.grids
            read = [held[name].step for name in step.reads if name in held]
            if read and all(one == size for one in read):
                return Rounding(random=rounding.random, hard=rounding.whole + least)  # integers as they were
            if read:  # from grid to grid: where one step is twice the other, all that is odd goes one way
                return Rounding(random=rounding.random, hard=rounding.whole + size)
        inexact = least if step.exact else size
        return Rounding(random=rounding.random, hard=rounding.whole + inexact, own=size / 2)

    def _weighted(self, step: LayerStep, weights: Weights, given: Rounding) -> Rounding:
        name, rank = step.reads[0], len(self._shape(step.gives[0]))
        power = self.powers.channels(name, weights.axis)
        random = (weights.variance * named_kernel(weights, power)).sum(axis=(1, 2, 3))
        taps = np.square(np.abs(weights.kernel).sum(axis=(1, 2), keepdims=True))
        if not given.none:
            # What was done to a channel may be alike at all taps: by rounded weights it is, and by a grid
            # where the channel is constant (behind a ReLU that is silent, say). Of a grid it is uniform
            # within its bound, so that a third of its square is its variance.
            off = given.random + np.square(given.whole) / 3
            own = named_kernel(weights, self._channels(off, name, weights.axis))
            random = random + (taps * own[:, :1, :1]).sum(axis=(1, 2, 3))
        if weights.bias is not None:
            random = random + np.broadcast_to(weights.bias.variance, weights.bias.values.shape).ravel()
        hard: Real = np.zeros(())
        if given.lost.any():  # all of it may go one way
            lost = np.moveaxis(np.broadcast_to(given.lost, self._shape(name)), weights.axis, -1)
            each = np.sqrt(lost.reshape(-1, lost.shape[-1]).mean(axis=0))
            hard = (np.abs(weights.kernel) * named_kernel(weights, each)).sum(axis=(1, 2, 3))
            hard = _shaped(hard, weights.axis, rank)
        return Rounding(random=_shaped(random, weights.axis, rank), hard=hard)

    def _channels(self, off: Real, name: str, axis: int) -> Real:
        """The largest in each channel of the tensor."""
        if off.size == 1:
            return off.reshape(1)
        shape = self._shape(name)
        full = np.broadcast_to(off, shape)
        axes = tuple(i for i in range(len(shape)) if i != axis % len(shape))
        largest: Real = full.max(axis=axes)
        return largest

    def _moved(self, step: LayerStep, given: list[Rounding]) -> Rounding:
        if len(given) == 1 and step.op in AS_REAL:
            return given[0]
        if len(given) == 1 and step.op in SAME_PLACE:
            return _fit(given[0], self._shape(step.gives[0]))  # a slice may have fewer channels
        if len(given) == 1 and step.axes is not None:
            return Rounding(
                random=_transposed(given[0].random, step.axes), hard=_transposed(given[0].whole, step.axes)
            )
        most = [(float(one.random.max()), float(one.whole.max())) for one in given]
        return Rounding(
            random=np.asarray(max((r for r, _ in most), default=0.0)),
            hard=np.asarray(max((h for _, h in most), default=0.0)),
        )

    def _elementwise(self, step: LayerStep, given: list[Rounding]) -> Rounding:
        summed = _summed([_fit(one, self._shape(step.gives[0])) for one in given], None)
        constant = 0.0
        if step.constant is not None:
            constant = float(np.max(step.constant.variance)) * self._peak(step.reads[0])
        return Rounding(random=summed.random * step.gain**2 + constant, hard=summed.whole * step.gain)

    def _product(self, step: LayerStep, given: list[Rounding]) -> Rounding:
        if step.constant is not None and len(given) == 1:
            values = step.constant.values
            factor = values if step.kind == "product" else 1 / np.where(values == 0, np.nan, values)
            spread = step.constant.variance * self._peak(step.reads[0])
            if step.kind == "quotient":
                spread = spread * factor**4
            random, hard = given[0].random * factor**2, given[0].whole * np.abs(factor)
            if values.size == 1:  # all channels are off by the same share: by half a step, not by chance
                hard = hard + np.sqrt(3 * spread)
            else:
                random = random + spread
            return Rounding(
                random=np.nan_to_num(random, nan=np.inf),
                hard=np.nan_to_num(hard, nan=np.inf),
            )
        if step.kind == "product" and len(given) == 2:
            peaks = [self._peak(name) for name in step.reads]
            sides = [
                Rounding(random=one.random * peak, hard=one.whole * np.sqrt(peak))
                for one, peak in zip(given, reversed(peaks), strict=True)
            ]
            return _summed(sides, None)
        return self._opaque(step, given)

    def _peak(self, name: str) -> float:
        return self.powers.peaks.get(name, np.inf)

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.powers.shapes.get(name, ())


def _summed(given: list[Rounding], constant: Constant | None) -> Rounding:
    """Errors of branches may be one error: their sizes are added, not their variances."""
    spread: Real = np.zeros(())
    hard: Real = np.zeros(())
    for one in given:
        spread, hard = spread + np.sqrt(one.random), hard + one.whole
    random = np.square(spread)
    if constant is not None:
        random = random + constant.variance
    return Rounding(random=random, hard=hard)


def _fit(one: Rounding, shape: tuple[int, ...]) -> Rounding:
    """Of a tensor that may have lost its sides of one, or have summed up some: then the largest holds."""
    return Rounding(random=_fitted(one.random, shape), hard=_fitted(one.whole, shape))


def _fitted(values: Real, shape: tuple[int, ...]) -> Real:
    if values.ndim > len(shape):
        values = values.reshape([n for n in values.shape if n != 1] or [])
    fits = values.ndim <= len(shape) and all(
        n in (1, size) for n, size in zip(values.shape[::-1], shape[::-1], strict=False)
    )
    return values if fits else values.max()


def _transposed(values: Real, axes: tuple[int, ...]) -> Real:
    if values.ndim == len(axes):
        return values.transpose(axes)
    if values.ndim == 0:
        return values
    full = values.reshape((1,) * (len(axes) - values.ndim) + values.shape)
    return full.transpose(axes)


def _shaped(channels: Real, axis: int, rank: int) -> Real:
    """Channels (C,) as they broadcast to a tensor of so many sides."""
    if axis == 1 and rank > 2:
        return channels.reshape(1, -1, *(1,) * (rank - 2))
    return channels
