"""The operations of a model file, whatever its format, as far as rounding goes through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Kind = Literal["weighted", "move", "elementwise", "sum", "product", "quotient", "other"]
AS_REAL = frozenset({"dequantize", "dequantizelinear"})
SAME_VALUES = frozenset(
    {"identity", "transpose", "reshape", "squeeze", "unsqueeze", "flatten", "expand_dims"}
)
"""What only puts values into another order or shape."""
ROUNDERS = frozenset({"quantize", "quantizelinear"})
SQUASHING = frozenset({"softmax", "logistic", "sigmoid"})
SIZES = frozenset({"shape", "size", "rank"})
"""What gives the sizes of a tensor, whatever it holds."""
SMALLEST_HALF = 2.0**-14
"""The smallest normal float16; below it the steps are all alike."""


@dataclass(frozen=True, kw_only=True)
class StepGrid:
    """The real numbers that an integer tensor can hold: `low` to `high` in steps of `step`."""

    low: float
    high: float
    step: float


@dataclass(frozen=True, kw_only=True)
class Constant:
    """`values` as real numbers, and the `variance` of what storing each has rounded (0: float32); it
    broadcasts to `values`. `steps`: the distinct steps of an integer constant."""

    values: Real
    variance: Real
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Kernel (O, kh, kw, I / groups) of a convolution or matrix product, with the variance of its rounding
    and the name of its constant. `axis`: where the channels are in the tensor that it reads."""

    name: str
    kernel: Real
    variance: Real
    bias: Constant | None
    groups: int
    axis: int


@dataclass(frozen=True, kw_only=True)
class LayerStep:
    """One operation. `reads` and `gives` name activations; `constant` is the operand that is one, if one is
    (of a kind of which nothing is known, one that was rounded);
    `gain` bounds by how much an elementwise operation enlarges an error. `window` says how a kernel moves."""

    op: str
    kind: Kind
    reads: tuple[str, ...]
    gives: tuple[str, ...]
    constant: Constant | None = None
    weights: Weights | None = None
    gain: float = 1.0
    axes: tuple[int, ...] | None = None
    """Of a transposition."""
    window: str = ""
    exact: bool = False
    """Gives integers as it reads them, or rounds once: to the nearest step of its grid."""


@dataclass(frozen=True, kw_only=True)
class OpenedSteps:
    """A model file: its steps in the order of execution, and the number types of its activations.

    `grids` of integer tensors by name. `entry` and `exit`: the input and the output. `oddities`: remarks on
    constants, with the tensor that they are about.
    """

    steps: tuple[LayerStep, ...]
    grids: dict[str, StepGrid]
    entry: str
    exit: str
    oddities: tuple[tuple[str, str], ...] = ()

    def gives_probabilities(self) -> bool:
        """Whether it ends in a softmax or a sigmoid."""
        makers, name = self.makers(), self.exit
        while (step := makers.get(name)) is not None and step.op in AS_REAL | ROUNDERS | SAME_VALUES:
            name = step.reads[0]
        return step is not None and step.op in SQUASHING

    def makers(self) -> dict[str, LayerStep]:
        """By activation, what gives it."""
        return {name: step for step in self.steps for name in step.gives}

    def held_grids(self) -> dict[str, StepGrid]:
        """The grids of integer tensors, and of those that hold such integers as real numbers."""
        grids = dict(self.grids)
        for step in self.steps:
            same = step.op in AS_REAL or (step.op in SAME_VALUES and step.gives[0] not in self.grids)
            if same and step.reads and step.reads[0] in grids:
                grids |= dict.fromkeys(step.gives, grids[step.reads[0]])
        return grids

    def readers(self) -> dict[str, list[LayerStep]]:
        """By activation, what reads it."""
        readers: dict[str, list[LayerStep]] = {}
        for step in self.steps:
            for name in dict.fromkeys(step.reads):
                readers.setdefault(name, []).append(step)
        return readers


def without_sizes(steps: Iterable[LayerStep]) -> tuple[LayerStep, ...]:
    """What computes on activations: not the sizes of tensors (of an open batch), nor what follows from sizes
    and constants alone, and nothing that reads these as one operand."""
    sizes: set[str] = set()
    kept = []
    for step in steps:
        if step.op in SIZES or (step.reads and sizes.issuperset(step.reads)):
            sizes.update(step.gives)
        else:
            kept.append(replace(step, reads=tuple(name for name in step.reads if name not in sizes)))
    return tuple(kept)


def leading_to(end: str, steps: Sequence[LayerStep]) -> tuple[LayerStep, ...]:
    """The steps of which `end` is computed. Runtimes leave out the others, and hold no values of them."""
    wanted, kept = {end}, []
    for step in reversed(steps):
        if not wanted.isdisjoint(step.gives):
            wanted.update(step.reads)
            kept.append(step)
    return tuple(reversed(kept))


def stored(values: NDArray[Any]) -> Constant:
    """A float constant, by its dtype: float16 rounds to 2 ** -11 of a number, and to 2 ** -25 below the
    smallest normal one (IEEE 754)."""
    real = values.astype(np.float64)
    if values.dtype != np.float16:
        return Constant(values=real, variance=np.zeros(()))
    most = np.maximum(np.abs(np.where(np.isfinite(real), real, 0.0)), SMALLEST_HALF) * 2.0**-11
    return Constant(values=real, variance=most**2 / 3)


def affine(integers: NDArray[Any], scale: Real, zero: NDArray[Any], shape: tuple[int, ...]) -> Constant:
    """An integer constant, with one scale or one for each slice; `shape` broadcasts the scales."""
    step = scale.astype(np.float64).reshape(shape)
    real = (integers.astype(np.float64) - zero.astype(np.float64).reshape(shape if zero.ndim else ())) * step
    # Uniform within half a step: a twelfth of its square.
    return Constant(values=real, variance=step**2 / 12, steps=tuple(np.unique(scale).tolist()))


def rounded_of(constants: Iterable[Constant]) -> Constant | None:
    """The first that storing has rounded: through an operation of which it is not known what that does."""
    return next((one for one in constants if one.variance.any()), None)


def named_kernel(weights: Weights, values: NDArray[Any]) -> Real:
    """Mean square (O, kh, kw, I / groups) of what each tap reads, from mean squares (I,) of the channels."""
    outputs, *_, inputs = weights.kernel.shape
    own = np.asarray(values, np.float64).reshape(-1)
    if len(own) == 1:
        return np.broadcast_to(own, weights.kernel.shape)
    if len(own) != inputs * weights.groups:
        return np.broadcast_to(own.max(), weights.kernel.shape)
    groups = own.reshape(weights.groups, 1, 1, inputs).repeat(outputs // weights.groups, axis=0)
    return np.broadcast_to(groups, weights.kernel.shape)
