"""Defects of how numbers are stored: scales, zero points, bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .files import GoodFile, Grid, Kind, Layer, Weights

Random = np.random.Generator
Breaks = Callable[[GoodFile, Layer, Random, int], str]


def gridded(file: GoodFile) -> Sequence[Layer]:
    """Layers, but the last, whose output has a grid of its own."""
    return [one for one in file.layers[:-1] if one.grid is not None and one.grid_is_its_own]


def offset(file: GoodFile) -> Sequence[Layer]:
    """The same, where a zero point may be other than 0: int16 forbids it."""
    return gridded(file) if file.scheme == "int8" else []


def stored_as_integers(file: GoodFile) -> Sequence[Layer]:
    return file.layers if file.integer else []


def per_channel(file: GoodFile) -> Sequence[Layer]:
    """Layers whose channels have scales that differ."""
    scales = [(one, file.weights(one).scale) for one in stored_as_integers(file)]
    return [one for one, scale in scales if scale is not None and len(scale) > 1 and np.ptp(scale) > 0]


def computes_in_integers(file: GoodFile) -> Sequence[Layer]:
    """Layers of an int8 file that could be left in float between two grids."""
    return [one for one in gridded(file) if one.window is not None] if file.scheme == "int8" else []


def last(file: GoodFile) -> Sequence[Layer]:
    return file.layers[-1:]


def scale_off(small: bool) -> Breaks:
    """The scale of weights is wrong, of one channel or of all; or that of the activation, and biases of the
    layers that read it do not know. ONNX says an activation's scale twice: then the second differs."""

    def breaks(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
        factor = (1.03, 0.97, 1.06, 1.15)[variant // 2 % 4] if small else (1.5, 0.5, 3.0)[variant % 3]
        grid = layer.grid
        if grid is not None and layer in gridded(file) and variant % 2:
            file.put_grid(layer, grid.scale * factor, grid.zero_point, consistent=False)
            return f"scale of the activation times {factor}"
        weights = file.weights(layer)
        assert weights.scale is not None  # `stored_as_integers` chose it
        times = np.full(len(weights.scale), factor)
        if variant % 4 == 0 and len(times) > 1:
            times[:] = 1
            times[int(random.integers(len(times)))] = factor
        kernel = weights.kernel * np.broadcast_to(times, len(weights.kernel))[:, None, None, None]
        file.put(layer, Weights(kernel, weights.bias, weights.scale * times))
        return f"scale of {'one channel' if np.ptp(times) else 'the weights'} times {factor}"

    return breaks


def zero_point_off(small: bool) -> Breaks:
    """TFLite says a zero point once, for whoever makes and reads the tensor: there only the range moves, and
    numbers at one end are clipped. In ONNX they are read shifted."""

    def breaks(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
        grid, by = layer.grid, (variant % 3 + 1) * (1 if small else 16)
        assert grid is not None  # `offset` chose it
        by = by if _inside(grid, grid.zero_point + by) else -by
        file.put_grid(layer, grid.scale, grid.zero_point + by, consistent=False)
        return f"zero point {by:+d}"

    return breaks


def _inside(grid: Grid, zero_point: int) -> bool:
    return grid.low <= zero_point <= grid.high


def saturate(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """Biases follow, so that nothing but the clipping is wrong."""
    grid, factor = layer.grid, (0.7, 0.5, 0.35, 0.2)[variant % 4]
    assert grid is not None  # `gridded` chose it
    middle = (grid.low + grid.high + 1) // 2
    # The range shrinks around zero: from the end where it starts, or from both.
    spread = grid.zero_point if grid.starts_at_zero or file.scheme == "int16x8" else middle
    file.put_grid(layer, grid.scale * factor, spread, consistent=True)
    return f"range of the activation times {factor}"


def share_scale(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    assert weights.scale is not None  # `per_channel` chose it
    file.put(layer, replace(weights, scale=np.full_like(weights.scale, weights.scale.max())))
    return (
        f"one scale for channels whose own were up to {weights.scale.max() / weights.scale.min():.1f}x finer"
    )


def truncate(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights, bits = file.weights(layer), 2 + variant % 4
    largest = np.abs(weights.kernel).max(axis=(1, 2, 3), keepdims=True)
    step = largest / (2 ** (bits - 1) - 1)
    file.put(layer, replace(weights, kernel=np.rint(weights.kernel / step) * step))
    return f"weights of the last layer in {bits} bits"


def leave_in_float(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.leave_in_float(layer)
    return "computes in float"


KINDS = (
    Kind(
        "scale_off_little", "a scale rounded or taken from another run", stored_as_integers, scale_off(True)
    ),
    Kind("scale_off_much", "a scale of another layer", stored_as_integers, scale_off(False)),
    Kind("zero_point_off_little", "a zero point rounded the other way", offset, zero_point_off(True)),
    Kind("zero_point_off_much", "int8 taken for uint8, halfway", offset, zero_point_off(False)),
    Kind(
        "activation_saturates",
        "calibration on too few or too dark images (tensorflow#44289)",
        gridded,
        saturate,
    ),
    Kind("per_tensor_weights", "per-channel dropped (ultralytics#24747)", per_channel, share_scale),
    Kind("last_layer_truncated", "a last layer packed into fewer bits", last, truncate),
    Kind(
        "left_in_float",
        "an int8 file that is not int8 everywhere (ai-edge-quantizer#474)",
        computes_in_integers,
        leave_in_float,
    ),
)
