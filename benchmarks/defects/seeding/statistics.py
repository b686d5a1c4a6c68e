"""Defects of how a layer was trained or normalized, as they show in its folded weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .files import GoodFile, Kind, Layer, Real, Weights
from .weights import floats, inner, rescaled_for

Random = np.random.Generator
EPSILONS = (0.3, 0.1, 0.03, 1.0)
"""Of the median variance of the layer."""
DROPPED = (0.1, 0.5, 0.2, 0.05)
SPREAD = (0.1, 0.3, 0.05, 0.02)


def shared(file: GoodFile) -> Sequence[Layer]:
    """Convolutions whose kernel another one has too, behind the first of them."""
    layers: list[Layer] = []
    seen: list[Real] = []
    for layer in file.layers:
        kernel = file.weights(layer).kernel
        if any(one.shape == kernel.shape and np.array_equal(one, kernel) for one in seen):
            layers.append(layer)
        seen.append(kernel)
    return layers


def unshare(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """One use has weights of its own, as from another epoch."""
    weights, share = file.weights(layer), (0.1, 0.3, 1.0, 0.05)[variant % 4]
    other = weights.kernel[:, ::-1] if share == 1 else random.permutation(weights.kernel)
    kernel = (1 - share) * weights.kernel + share * other
    file.put(layer, Weights(kernel, weights.bias, rescaled_for(kernel, weights.scale)))
    return f"{share:.0%} of other weights in one use of a shared layer"


def epsilon(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """A variance is not in the file. Before folding, kernels were about equally large: the norm of a folded
    one is that of the factor, whose inverse square is the variance."""
    weights = file.weights(layer)
    norms = np.sqrt((weights.kernel**2).sum(axis=(1, 2, 3)))
    variance = 1 / np.maximum(norms, 1e-3 * norms.max()) ** 2
    share = EPSILONS[variant % len(EPSILONS)]
    factor = np.sqrt(variance / (variance + share * float(np.median(variance))))
    return _multiplied(file, layer, factor, f"epsilon of {share} of the median variance")


def _multiplied(file: GoodFile, layer: Layer, factor: Real, what: str) -> str:
    weights = file.weights(layer)
    kernel = weights.kernel * factor[:, None, None, None]
    bias = None if weights.bias is None else weights.bias * factor
    file.put(layer, Weights(kernel, bias, rescaled_for(kernel, weights.scale)))
    return f"{what}: channels times {factor.min():.2f} to {factor.max():.2f}"


def in_training(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """One draw of a dropout, or the statistics of one batch."""
    count = len(file.weights(layer).kernel)
    if variant % 2:
        share = DROPPED[variant // 2 % len(DROPPED)]
        dropped = random.permutation(count) < max(1, round(share * count))
        return _multiplied(file, layer, np.where(dropped, 0, 1 / (1 - share)), f"a dropout of {share}")
    spread = SPREAD[variant // 2 % len(SPREAD)]
    factor = np.exp(random.normal(0, spread, count))
    return _multiplied(file, layer, factor, f"variances of a batch, {spread} off")


def to_bfloat16(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """Of the layer, or of the whole file: then every layer is broken."""
    layers = file.layers if variant % 2 else (layer,)
    for one in layers:
        weights = file.weights(one)
        bits = np.ascontiguousarray(weights.kernel, np.float32).view(np.uint32)
        rounded = ((bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)).view(np.float32)
        file.put(one, Weights(rounded.astype(np.float64), weights.bias, None))
    if len(layers) > 1:
        file.added.extend(name for one in layers for name in one.names)
    return f"{'all weights' if variant % 2 else 'weights'} rounded to bfloat16"


KINDS = (
    Kind("shared_apart", "a shared layer whose uses have other weights", shared, unshare),
    Kind("bn_epsilon", "the epsilon of another framework's batch normalization", inner, epsilon),
    Kind("training_mode", "dropout or batch statistics left on at export", inner, in_training),
    Kind("bfloat16", "weights that went through bfloat16", floats, to_bfloat16),
)
