"""The ends of what activations can hold: those of a grid that they are on, or came through.

A grid cuts off what is beyond its ends, and so does a clipped tensor once a constant was added to it, or it
went through a ReLU: what rises with a number cuts off where the number was cut off.
"""

from __future__ import annotations

import numpy as np

from resnet_edge.diagnosis.layers.steps import AS_REAL, ROUNDERS, SAME_VALUES, LayerStep, OpenedSteps, Real

Limits = tuple[Real, Real]
"""The least and the greatest number; arrays broadcast to the tensor."""
SHIFTS = frozenset({"add"})
LIMITERS = frozenset({"relu", "relu6", "clip", "min", "max", "minimum", "maximum"})
"""What leaves numbers as they are, or puts an end to them."""


def held_limits(opened: OpenedSteps) -> dict[str, Limits]:
    """Of every activation that has any."""
    limits = {name: (np.asarray(grid.low), np.asarray(grid.high)) for name, grid in opened.grids.items()}
    for step in opened.steps:
        if len(step.reads) != 1 or step.reads[0] not in limits:
            continue
        through = _through(step, limits[step.reads[0]])
        if through is None:
            continue
        for name in step.gives:
            limits[name] = _both(through, limits[name]) if name in opened.grids else through
    return limits


def keeps_limits(step: LayerStep) -> bool:
    """Whether what it gives ends where what it reads does."""
    return len(step.reads) == 1 and _through(step, (np.zeros(()), np.zeros(()))) is not None


def _through(step: LayerStep, limits: Limits) -> Limits | None:
    low, high = limits
    if step.op in AS_REAL | ROUNDERS:
        return limits
    if step.op in SAME_VALUES:
        return np.asarray(np.min(low)), np.asarray(np.max(high))  # whose channels may be elsewhere
    if step.op in LIMITERS:  # where they end is not known, but that zero is among what they leave
        inside = (low <= 0) & (high >= 0)
        return np.where(inside, low, -np.inf), np.where(inside, high, np.inf)
    if step.constant is None or not np.isfinite(step.constant.values).all():
        return None
    values = step.constant.values
    if step.op in SHIFTS:
        return low + values, high + values
    if step.kind == "product" and step.op == "mul":
        with np.errstate(invalid="ignore"):  # of no end, times nothing
            ends = np.stack(np.broadcast_arrays(low * values, high * values))
        return np.nan_to_num(ends.min(axis=0), nan=-np.inf), np.nan_to_num(ends.max(axis=0), nan=np.inf)
    return None


def _both(one: Limits, other: Limits) -> Limits:
    """What both can hold; the other's where that is nothing."""
    low, high = np.maximum(one[0], other[0]), np.minimum(one[1], other[1])
    some = low <= high
    return np.where(some, low, other[0]), np.where(some, high, other[1])
