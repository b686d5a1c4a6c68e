"""Defects of operations other than convolutions and dense layers: what joins, pools, resizes, activates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .files import GoodFile, Kind, Layer

Random = np.random.Generator
Where = Callable[[GoodFile], Sequence[Layer]]
EPSILONS = (1e-1, 1e-2, 1.0, 3e-2)


def those(operation: str) -> Where:
    """All operations of a file that GoodFile.operations knows by this name."""
    return lambda file: file.operations(operation)


def lose_branch(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.lose_branch(layer, variant % 2)
    return f"branch {variant % 2} of the addition lost"


def turn_softmax(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.turn_softmax(layer)
    return "softmax over the batch"


def count_padding(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.count_padding(layer)
    return "average over padded pixels too"


def resize_by_nearest(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    file.resize_by_nearest(layer)
    return "nearest pixel for bilinear"


def scale_kernel(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    factor = (1.1, 0.9, 1.05)[variant % 3]
    file.scale_constant(layer, factor)
    return f"kernel times {factor}"


def roll_slopes(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    by = 1 + variant % 3
    file.roll_constant(layer, by)
    return f"slopes {by} channels further"


def other_epsilon(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    epsilon = EPSILONS[variant % len(EPSILONS)]
    before = file.set_constant(layer, epsilon)
    return f"epsilon {epsilon} for {before:.2g}"


KINDS = (
    Kind(
        "add_branch_lost", "a graph rewrite that takes an addition for an identity", those("add"), lose_branch
    ),
    Kind("softmax_axis", "a softmax over axis 0, as a wrong layout has it", those("softmax"), turn_softmax),
    Kind(
        "pooled_padding",
        "count_include_pad of PyTorch's average pooling",
        those("padded_pool"),
        count_padding,
    ),
    Kind("resize_nearest", "an exporter's default for bilinear", those("resize"), resize_by_nearest),
    Kind("transposed_scaled", "a transposed convolution scaled by hand", those("transposed"), scale_kernel),
    Kind("prelu_rolled", "slopes read from the wrong place", those("prelu"), roll_slopes),
    Kind("norm_epsilon", "epsilon of layer or group normalization", those("epsilon"), other_epsilon),
)
