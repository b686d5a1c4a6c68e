"""Defects of weights and of how a layer uses them; layers of every format and scheme have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .files import GoodFile, Kind, Layer, Real, Weights

Random = np.random.Generator


def inner(file: GoodFile) -> Sequence[Layer]:
    """Convolutions but the first: a stem sees an image, and its defects are borders.py's."""
    return [layer for layer in file.layers[1:] if layer.window is not None]


def wide(file: GoodFile) -> Sequence[Layer]:
    """Inner convolutions with a kernel of more than one pixel."""
    return [one for one in inner(file) if one.window is not None and min(one.window.kernel) > 1]


def square(file: GoodFile) -> Sequence[Layer]:
    """Inner convolutions with as many channels going in as coming out."""
    return [one for one in inner(file) if len(set(file.weights(one).kernel.shape[::3])) == 1]


def biased(file: GoodFile) -> Sequence[Layer]:
    """Layers with a bias that is not zero: convolutions that no batch normalization follows have none."""
    return [one for one in file.layers if (bias := file.weights(one).bias) is not None and np.any(bias)]


def strided(file: GoodFile) -> Sequence[Layer]:
    """Convolutions of stride 2 on an even size, which has two phases."""
    windows = ((one, one.window) for one in file.layers)
    return [
        one for one, w in windows if w and w.strides == (2, 2) and not w.size[0] % 2 and not w.size[1] % 2
    ]


def clamped(file: GoodFile) -> Sequence[Layer]:
    """Convolutions with a ReLU whose grid, if any, can be widened."""
    return [one for one in inner(file) if one.relu and (one.grid is None or one.grid_is_its_own)]


def linear(file: GoodFile) -> Sequence[Layer]:
    """Layers without a ReLU, the logits among them."""
    return [one for one in file.layers if not one.relu]


def floats(file: GoodFile) -> Sequence[Layer]:
    """Layers that can hold a NaN: integers have none."""
    return [] if file.integer else file.layers


def swap_channels(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    a, b = random.choice(len(weights.kernel), 2, replace=False)
    order = np.arange(len(weights.kernel))
    order[[a, b]] = order[[b, a]]
    file.put(layer, ordered(weights, order))
    return f"output channels {a} and {b} swapped"


def ordered(weights: Weights, order: NDArray[np.int64]) -> Weights:
    """The output channels in another order, each with its bias and scale."""
    bias = None if weights.bias is None else weights.bias[order]
    scale = weights.scale if weights.scale is None or len(weights.scale) == 1 else weights.scale[order]
    return Weights(weights.kernel[order], bias, scale)


def drop_bias(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    assert weights.bias is not None  # `biased` chose it
    file.put(layer, replace(weights, bias=np.zeros_like(weights.bias)))
    return f"bias dropped; it was up to {np.abs(weights.bias).max():.3g}"


def drop_bias_of_one(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    assert weights.bias is not None  # `biased` chose it
    place, bias = int(np.abs(weights.bias).argmax()), weights.bias.copy()
    bias[place] = 0
    file.put(layer, replace(weights, bias=bias))
    return f"bias of channel {place} dropped; it was {weights.bias[place]:.3g}"


def stick_weight(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    kernel = weights.kernel.copy()
    place = tuple(int(random.integers(size)) for size in kernel.shape)
    old, kernel[place] = kernel[place], np.abs(kernel[place[0]]).max()
    file.put(layer, replace(weights, kernel=kernel))
    return f"weight {place} was {old:.3g} and is {kernel[place]:.3g}, the largest of its channel"


def shift_bias(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    assert weights.bias is not None  # `biased` chose it
    file.put(layer, replace(weights, bias=np.roll(weights.bias, 1)))
    return "every channel has the bias of its neighbour"


def transpose(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    file.put(layer, replace(weights, kernel=weights.kernel.transpose(0, 2, 1, 3)))
    return "height and width of the kernel transposed"


def flip(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    file.put(layer, replace(weights, kernel=weights.kernel[:, ::-1, ::-1]))
    return "kernel turned by 180 degrees"


def exchange(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """Other numbers in a channel: integers get the scales of what is there now."""
    weights = file.weights(layer)
    kernel = weights.kernel.transpose(3, 1, 2, 0)
    file.put(layer, Weights(kernel, weights.bias, rescaled_for(kernel, weights.scale)))
    return "input and output channels of the kernel exchanged"


def rescaled_for(kernel: Real, scale: Real | None) -> Real | None:
    """Scales that hold the kernel, per channel or for all as they are stored."""
    if scale is None:
        return None
    largest: Real = np.abs(kernel).max(axis=(1, 2, 3)) / 127
    largest = np.maximum(largest, largest.max() * 1e-3)
    return largest if len(scale) > 1 else np.asarray([largest.max()])


def fold_again(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """What batch normalization multiplied by is not in the file. Relative to each other, the norms of the
    kernels tell: before folding they were about equal."""
    weights = file.weights(layer)
    norms = np.sqrt((weights.kernel**2).sum(axis=(1, 2, 3)))
    factor = norms / max(float(np.median(norms)), 1e-12)
    kernel = weights.kernel * factor[:, None, None, None]
    bias = None if weights.bias is None else weights.bias * (1 + factor)
    file.put(layer, Weights(kernel, bias, rescaled_for(kernel, weights.scale)))
    return f"multiplied per channel by {factor.min():.2f} to {factor.max():.2f} once more"


def rescale(by: float) -> Callable[[GoodFile, Layer, Random, int], str]:
    """A break that multiplies the kernel, up or down in turns."""

    def breaks(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
        weights, factor = file.weights(layer), 1 + (by if variant % 2 else -by)
        scale = None if weights.scale is None else weights.scale * factor
        file.put(layer, Weights(weights.kernel * factor, weights.bias, scale))
        return f"kernel times {factor:g}"

    return breaks


def remove_relu(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.set_relu(layer, False)
    grid = layer.grid
    if grid is not None and grid.starts_at_zero:  # else the grid would do what the ReLU did
        middle = (grid.low + grid.high + 1) // 2
        file.put_grid(layer, grid.scale * 2, middle, consistent=True)
    return "ReLU removed"


def add_relu(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.set_relu(layer, True)
    return "ReLU added"


def shift_padding(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    down, right = ((1, 1), (-1, -1), (1, 0), (0, -1))[variant % 4]
    file.move_window(layer, down, right)
    return f"padding moved by {down}, {right}"


def shift_phase(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    down, right = ((1, 1), (1, 0), (0, 1))[variant % 3]
    file.move_window(layer, down, right)
    return f"stride begins {down} down, {right} right"


def poison(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    at = tuple(int(random.integers(size)) for size in weights.kernel.shape)
    weights.kernel[at] = np.nan
    file.put(layer, weights)
    return f"NaN at {at} of the kernel"


def stick(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """Zero weights and a bias: of a channel that says something, at a value that it can have."""
    weights = file.weights(layer)
    channel = int(random.integers(len(weights.kernel)))
    weights.kernel[channel] = 0
    if weights.bias is not None and variant % 2:
        weights.bias[channel] = np.abs(weights.bias).max()
    file.put(layer, weights)
    return f"channel {channel} stuck at {'its largest bias' if variant % 2 else 'its bias'}"


KINDS = (
    Kind("channels_swapped", "a reordering that the next layer does not know", inner, swap_channels),
    Kind(
        "bias_dropped", "an exporter that loses biases or the shift of batch normalization", biased, drop_bias
    ),
    Kind("bias_of_one", "an offset that one channel misses", biased, drop_bias_of_one),
    Kind("weight_stuck", "a flipped bit", inner, stick_weight),
    Kind("bias_shifted", "an offset wrong by one entry", biased, shift_bias),
    Kind("kernel_transposed", "HWIO read as WHIO", wide, transpose),
    Kind("kernel_flipped", "convolution where correlation is meant", wide, flip),
    Kind("kernel_in_out", "OIHW read as IOHW, which only square kernels allow", square, exchange),
    Kind("bn_folded_twice", "folding run on a graph that is folded", inner, fold_again),
    Kind("rescaled_1pct", "a wrong epsilon or momentum of batch normalization", inner, rescale(0.01)),
    Kind("rescaled_2pct", "the same", inner, rescale(0.02)),
    Kind("rescaled_5pct", "the same", inner, rescale(0.05)),
    Kind("rescaled_20pct", "the same", inner, rescale(0.2)),
    Kind("relu_removed", "a fusion that drops the activation", clamped, remove_relu),
    Kind("relu_added", "a fusion that takes the activation of a neighbour", linear, add_relu),
    Kind(
        "padding_shifted", "the padding of PyTorch and Caffe, 1 on all sides, for SAME", wide, shift_padding
    ),
    Kind("stride_phase", "strides that begin with the other pixel", strided, shift_phase),
    Kind(
        "nan_weight",
        "a file damaged on its way; NaN that a check lost in nan_to_num (litert-quantizer)",
        floats,
        poison,
    ),
    Kind(
        "stuck_channel", "a channel that died or was pruned by half; silent zeros (LiteRT#7693)", inner, stick
    ),
)
