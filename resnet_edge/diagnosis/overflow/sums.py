"""One layer of integers on one image, with sums of pairs in 16 bits or in 32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.overflow.integer_layers import Geometry, IntegerLayer
from resnet_edge.diagnosis.overflow.pair_sums import PairSums, pair_sums

EXACT = 1 << 24
"""Up to here float32 holds every integer."""


class LayerSums:
    """A layer, ready to run. `overflowed` counts sums of pairs that were cut off, `added` all that were
    made."""

    def __init__(self, layer: IntegerLayer) -> None:
        self.layer = layer
        self.risks: tuple[PairSums, ...] = tuple(pair_sums(each) for each in layer.weights)
        self.overflowed = self.added = 0
        self._kernels = [each.astype(np.float32) for each in layer.weights]
        self._zero = layer.in_zero * layer.weights.astype(np.int64).sum(axis=1).ravel()

    @property
    def at_risk(self) -> int:
        """Pairs whose sum can be cut off."""
        return sum(len(risk.at) for risk in self.risks) if self.layer.narrow else 0

    def run(self, values: NDArray[Any], cut: bool) -> NDArray[Any]:
        """The output for a batch of one. `cut`: whether sums of pairs are cut off at 16 bits."""
        geometry = self.layer.geometry
        if geometry is None:
            rows = values.reshape(-1, self.layer.weights.shape[1])
            return self._finished(self._sums(rows, cut)).reshape(*values.shape[:-1], -1)
        image = values[0] if geometry.channels_last else values[0].transpose(1, 2, 0)
        columns, size = _columns(image, self.layer.in_zero, geometry, len(self.risks))
        outputs = self._finished(self._sums(columns, cut)).reshape(*size, -1)
        return (outputs if geometry.channels_last else outputs.transpose(2, 0, 1))[None]

    def _sums(self, columns: NDArray[Any], cut: bool) -> NDArray[np.int64]:
        """Of columns (P, groups x K) to (P, groups x O), without the bias."""
        parts = np.split(columns, len(self.risks), axis=1)
        groups = [self._group(number, part, cut) for number, part in enumerate(parts)]
        sums: NDArray[np.int64] = np.concatenate(groups, axis=1) - self._zero
        zero = self.layer.weight_zero
        if zero.any():
            rows, each = self.layer.weights.shape[1:]
            totals = np.stack([part.sum(1, np.int64) for part in parts], axis=1).repeat(each, axis=1)
            sums -= zero * (totals - rows * self.layer.in_zero)
        return sums

    def _group(self, number: int, columns: NDArray[Any], cut: bool) -> NDArray[np.int64]:
        sums = _product(columns, self._kernels[number])
        risk = self.risks[number]
        if cut and self.layer.narrow:
            self.added += risk.pairs * len(columns)
            if len(risk.at):
                self._cut_off(sums, risk, columns)
        return sums

    def _cut_off(self, sums: NDArray[np.int64], risk: PairSums, columns: NDArray[Any]) -> None:
        turned = np.ascontiguousarray(np.pad(columns.T, ((0, columns.shape[1] % 2), (0, 0)))).astype(np.int32)
        excess = risk.excess(turned)
        self.overflowed += int(np.count_nonzero(excess))
        starts = np.flatnonzero(np.diff(risk.output, prepend=-1))
        sums[:, risk.output[starts]] -= np.add.reduceat(excess, starts, axis=0).T

    def _finished(self, sums: NDArray[np.int64]) -> NDArray[Any]:
        """As ONNX Runtime makes a sum an output (MLAS, quantize.cpp: in float32, halves to even)."""
        layer = self.layer
        real: NDArray[np.float32] = (sums + layer.bias).astype(np.float32) * layer.scale
        if layer.out_dtype.kind == "f":
            return real
        ends = np.iinfo(layer.out_dtype)
        steps: NDArray[Any] = np.clip(np.rint(real) + layer.out_zero, ends.min, ends.max)
        return steps.astype(layer.out_dtype)


def _product(columns: NDArray[Any], kernel: NDArray[np.float32]) -> NDArray[np.int64]:
    """Exact, and as fast as float32: no part of the sum is beyond what float32 holds."""
    rows = max(1, EXACT // (256 * 128))
    real = columns.astype(np.float32)
    parts = (real[:, at : at + rows] @ kernel[at : at + rows] for at in range(0, len(kernel), rows))
    total: NDArray[np.int64] = np.sum([part.astype(np.int64) for part in parts], axis=0)
    return total


def _columns(
    image: NDArray[Any], zero: int, geometry: Geometry, groups: int
) -> tuple[NDArray[Any], tuple[int, int]]:
    """The values below the kernel at each place, (P, groups x K), and the places, (H, W)."""
    window = geometry.over((image.shape[0], image.shape[1]))
    assert window.padding is not None  # the size of the image is known
    top, left, bottom, right = window.padding
    padded = np.pad(image, ((top, bottom), (left, right), (0, 0)), constant_values=zero)
    (height, width), (down, over) = window.kernel, window.dilation
    reach = (down * (height - 1) + 1, over * (width - 1) + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(0, 1))
    rows, columns = window.stride
    windows = windows[::rows, ::columns, :, ::down, ::over]  # (H, W, C, kh, kw)
    size = windows.shape[0], windows.shape[1]
    split = windows.reshape(*size, groups, -1, height, width)
    return np.ascontiguousarray(split.transpose(0, 1, 2, 4, 5, 3)).reshape(size[0] * size[1], -1), size
