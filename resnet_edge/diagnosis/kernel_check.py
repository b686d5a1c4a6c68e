"""Runs in a worker. What kernels add to a file as it is written, and what they may (core/tolerances.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.results.attribution import KernelCheck
from resnet_edge.core.tolerances import tolerance
from resnet_edge.schemes import scheme_named

LEAST = 1e-4
"""Of the largest output: a smaller step is none, but rounding in float32."""
OFF = 0.02
"""Of a step, that outputs on a grid may be off it."""


def checked(
    exact: NDArray[np.float32],
    written: NDArray[np.float32],
    outputs: NDArray[np.float32],
    scheme: str,
    device: str,
) -> KernelCheck:
    """Outputs (N, classes) of the float graph, of a file operation by operation, and of a backend."""
    step = step_of(written)
    limit = tolerance(scheme_named(scheme), device, on_a_grid=step is not None)
    unit = step if limit.unit == "steps" and step is not None else (_root(written) or 1.0)
    measured = _root(outputs.astype(np.float64) - written) / unit
    allowed = max(limit.most, limit.times * _root(written.astype(np.float64) - exact) / unit)
    return KernelCheck(limit, measured, allowed, measured <= allowed)


def _root(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(values.astype(np.float64)).mean()))


def step_of(outputs: NDArray[np.float32]) -> float | None:
    """The step of the grid that all outputs are on; None where they are on none."""
    values = np.unique(outputs.astype(np.float64))
    largest = float(np.abs(values).max(initial=0))
    gaps = np.diff(values)
    gaps = gaps[gaps > LEAST * largest]
    if not len(gaps):
        return None
    step = float(gaps.min())
    steps = (values - values[0]) / step
    step = float((values[-1] - values[0]) / np.rint(steps[-1]))  # by all of them, not by one gap
    off = np.abs((values - values[0]) / step - np.rint((values - values[0]) / step))
    return step if off.max() <= OFF else None
