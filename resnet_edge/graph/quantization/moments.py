"""First and second moments of what each layer multiplies its kernel with.

A layer's output is its kernel times a patch of its input (for a dense layer the patch is the
input). How a change of the kernel shifts the mean output follows from the mean patch, and
how much it disturbs the output from the second moments. Both are taken at positions drawn
anew for each image (seeded, so that a run can be repeated), padding included.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.quantization.weighted import Layer

PATCHES = 8192
"""About how many patches are drawn of a layer over all images."""
MOST_PER_IMAGE = 64
DRAWN_FROM = 256
"""Images of which patches are drawn, evenly spread, where there are more; of a dense layer's
input, which is one patch, all."""
CHUNK = 1024
SAME = 0

Array = NDArray[np.float32]


class Moments:
    """Sums over the patches of one layer: `mean` (taps,), and `second` (taps, taps) float64,
    or None unless `wants_second`. A depthwise layer has one patch for each channel: its
    taps are (height x width x channels), and it has no second moments."""

    def __init__(self, layer: Layer, *, wants_second: bool) -> None:
        taps = layer.kernel.size if layer.op == "DEPTHWISE_CONV_2D" else layer.rows.shape[1]
        self.layer, self.count = layer, 0
        self.first = np.zeros(taps, np.float64)
        self.products = np.zeros((taps, taps), np.float32) if wants_second else None
        self._waiting: list[Array] = []

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean patch (taps,)."""
        return self.first / max(self.count, 1)

    def second(self) -> NDArray[np.float64] | None:
        """The mean of patch times patch transposed (taps, taps)."""
        self._flush()
        return None if self.products is None else self.products.astype(np.float64) / max(self.count, 1)

    def add(self, source: Array, out_size: tuple[int, int], random: np.random.Generator, wanted: int) -> None:
        """Draw up to `wanted` patches of one image's input (1, H, W, C) or (1, C)."""
        patches = self._patches(source, out_size, random, wanted)
        self.count += len(patches)
        self.first += patches.sum(axis=0, dtype=np.float64)
        if self.products is not None:
            self._waiting.append(patches)
            if sum(map(len, self._waiting)) >= CHUNK:
                self._flush()

    def _flush(self) -> None:
        if self._waiting and self.products is not None:
            patches = np.concatenate(self._waiting)
            self.products += patches.T @ patches
        self._waiting = []

    def _patches(
        self, source: Array, out_size: tuple[int, int], random: np.random.Generator, wanted: int
    ) -> Array:
        if self.layer.op == "FULLY_CONNECTED":
            return source.reshape(-1, len(self.first)).copy()
        rows, columns = out_size
        positions = random.integers(0, rows * columns, min(wanted, rows * columns))
        kernel, options = self.layer.kernel.shape, self.layer.options
        y, y_inside = _taps(positions // columns, source.shape[1], rows, kernel[1], options, "H")
        x, x_inside = _taps(positions % columns, source.shape[2], columns, kernel[2], options, "W")
        patches = source[0][y[:, :, None], x[:, None, :]]
        if self.layer.op == "DEPTHWISE_CONV_2D":  # several outputs may read one channel
            patches = patches.repeat(kernel[3] // source.shape[3], axis=3)
        if not (y_inside.all() and x_inside.all()):
            patches *= (y_inside[:, :, None] & x_inside[:, None, :])[..., None]
        return np.asarray(patches.reshape(len(positions), -1))


def _taps(
    position: NDArray[np.int64], size: int, out_size: int, taps: int, options: dict[str, int], axis: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where along one axis the taps of each position (n,) read: (n, taps), kept inside the
    input, and whether they lie inside. TFLite pads the smaller half before the input."""
    stride, dilation = options[f"stride{axis}"], options.get(f"dilation{axis}Factor", 1) or 1
    reach = (taps - 1) * dilation + 1
    before = max((out_size - 1) * stride + reach - size, 0) // 2 if options["padding"] == SAME else 0
    index = position[:, None] * stride - before + np.arange(taps) * dilation
    return np.clip(index, 0, size - 1), (index >= 0) & (index < size)


def watch(layers: list[Layer], second: Callable[[Layer], bool]) -> dict[int, Moments]:
    """Empty moments for each layer, by the index of its node; second ones where asked for. None of grouped
    convolutions: each group has a patch of its own, and networks of them have many small ones."""
    return {layer.index: Moments(layer, wants_second=second(layer)) for layer in layers if not layer.grouped}


def plan(count: int) -> tuple[int, int]:
    """Draw from every how many-th of `count` images, and how many patches of each."""
    every = max(1, count // DRAWN_FROM)
    return every, int(np.clip(PATCHES * every // max(count, 1), 1, MOST_PER_IMAGE))
