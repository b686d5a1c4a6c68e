"""Layers that stand on both sides, from their kernels alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.links import Link
from resnet_edge.diagnosis.layers.steps import Constant, LayerStep, Weights

Real = NDArray[np.float64]


def on_grid(kernel: Real) -> tuple[Real, Real]:
    """Rounded to 8 bits, one step a channel, and the variance of that."""
    step = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / 127
    return np.rint(kernel / step) * step, np.broadcast_to(step**2 / 12, kernel.shape)


def layer(name: str, kernel: Real, variance: Real | float, bias: Real | None, reads: str) -> LayerStep:
    """A convolution in float."""
    held = None if bias is None else Constant(values=bias, variance=np.zeros(()))
    weights = Weights(
        name=f"{name}/kernel",
        kernel=kernel,
        variance=np.broadcast_to(np.asarray(variance, np.float64), kernel.shape),
        bias=held,
        groups=1,
        axis=-1,
    )
    return LayerStep(op="conv_2d", kind="weighted", reads=(reads,), gives=(name,), weights=weights)


def link(
    *,
    gives: int,
    reads: int | None,
    theirs: tuple[Real, Real | None],
    ours: tuple[tuple[Real, Real | float], Real | None],
) -> Link:
    """Of a kernel and a bias of each side; ours with the variance of its rounding."""
    (kernel, variance), bias = ours
    return Link(
        gives=gives,
        reads=reads,
        theirs=layer(f"their {gives}", theirs[0], 0.0, theirs[1], f"their {reads}"),
        ours=layer(f"our {gives}", kernel, variance, bias, f"our {reads}"),
        alone=True,
    )
