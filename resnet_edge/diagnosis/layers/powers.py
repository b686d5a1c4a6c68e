"""How large the activations of a file are over images, by which what rounds them is measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.steps import Real, StepGrid


@dataclass(kw_only=True)
class Powers:
    """Of every activation over the images: its shape, mean squares of its channels if they are last (C,) or
    second (C, 1, 1), the largest square in it, and means (C,) by the place of the channels."""

    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    last: dict[str, Real] = field(default_factory=dict)
    second: dict[str, Real] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    firsts: dict[tuple[str, int], Real] = field(default_factory=dict)
    cut: dict[str, Real] = field(default_factory=dict)
    """Of what goes to a grid, by the name that it has there: the squares of what is cut off, summed."""
    images: int = 0

    def add(self, values: dict[str, NDArray[np.float32]]) -> None:
        """One image more."""
        for name, value in values.items():
            square = np.square(np.nan_to_num(value), dtype=np.float64)
            self.shapes[name] = value.shape
            axes = tuple(range(value.ndim))
            last = square.mean(axis=axes[:-1]) if value.ndim else square
            self.last[name] = self.last.get(name, 0.0) + last
            if value.ndim == 4:
                self.second[name] = self.second.get(name, 0.0) + square.mean(axis=(0, 2, 3))
            for axis in (1, -1) if value.ndim == 4 else (-1,) if value.ndim else ():
                own = np.moveaxis(np.nan_to_num(value), axis, -1).reshape(-1, value.shape[axis])
                held = self.firsts.get((name, axis), 0.0)
                self.firsts[name, axis] = held + own.mean(axis=0, dtype=np.float64)
            peak = float(square.max(initial=0))
            self.peaks[name] = max(self.peaks.get(name, 0.0), peak)
        self.images += 1

    def cut_off(self, name: str, value: NDArray[np.float32], grid: StepGrid) -> None:
        """One image more of what goes to a grid."""
        lost = value - np.clip(value, grid.low, grid.high)
        if lost.any():
            self.cut[name] = self.cut.get(name, np.zeros(())) + np.square(lost, dtype=np.float64)

    def channels(self, name: str, axis: int) -> Real:
        """Mean squares (C,)."""
        held = self.second if axis == 1 else self.last
        mean: Real = np.asarray(held[name]) / self.images
        return mean

    def means(self, name: str, axis: int) -> Real:
        """Of the channels (C,)."""
        return np.asarray(self.firsts[name, 1 if axis == 1 else -1]) / self.images

    def loudest(self, name: str) -> float:
        """The mean square of the loudest channel."""
        held = [np.max(side[name]) for side in (self.last, self.second) if name in side]
        return float(max(held, default=0.0)) / self.images
