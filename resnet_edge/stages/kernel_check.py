"""Runs in a worker. What kernels add to a file as it is written, and what they may (core/tolerances.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.attribution import KernelCheck
from resnet_edge.core.tolerances import tolerance

LEAST = 1e-4
"""Of the largest output: a smaller step is none, but rounding in float32."""
OFF = 0.02
"""Of a step, that outputs on a grid may be off it."""


def checked(
    written: NDArray[np.float32], found: NDArray[np.float32], scheme: str, device: str
) -> KernelCheck:
    """Outputs (N, classes) of a file operation by operation, and of a backend."""
    step = step_of(written)
    allowed = tolerance(scheme, device, on_a_grid=step is not None)
    unit = step if allowed.unit == "steps" and step is not None else float(np.abs(written).max())
    worst = float(np.abs(found.astype(np.float64) - written).max()) / (unit or 1.0)
    return KernelCheck(allowed, worst, worst <= allowed.most)


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
