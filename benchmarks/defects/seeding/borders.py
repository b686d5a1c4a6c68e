"""Defects at the borders: what goes into a network, what its answers mean, and the wrong file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .files import GoodFile, Kind, Layer, Weights
from .weights import ordered, rescaled_for

Random = np.random.Generator
SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
"""Of a stale file in the seeded one: all of it, or a model that trained on from it."""
MEANS = ((0.485, 0.456, 0.406), (0.5, 0.5, 0.5), (0.4, 0.4, 0.4), (0.05, 0.05, 0.05), (0.01, 0.01, 0.01))
"""In place of 0, as shares of white: ImageNet's, that of `symmetric`, and smaller slips."""
DIVISORS = (255.0, 127.5, 1 / 255, 64.75, 256 / 255, 0.995)
"""By which the image is divided once too often, or too little."""
RESIZES = (
    (56, "bilinear", "asymmetric"),
    (20, "nearest", "bilinear"),
    (56, "corners", "nearest"),
    (24, "bilinear", "corners"),
    (42, "asymmetric", "bilinear"),
)


def stem(file: GoodFile) -> Sequence[Layer]:
    return file.layers[:1]


def coloured_stem(file: GoodFile) -> Sequence[Layer]:
    read = file.weights(file.layers[0]).kernel.shape[-1]
    return file.layers[:1] if file.image[2] == 3 and read % 3 == 0 else []


def last(file: GoodFile) -> Sequence[Layer]:
    """The dense layer that ends the network."""
    return [layer for layer in file.layers[-1:] if layer.window is None]


def swap_colours(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """As if the app gave BGR. Beyond the one that everybody knows, other orders, for variants."""
    order = ((2, 1, 0), (1, 0, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1))[variant % 5]
    weights = file.weights(layer)
    # A stem of stride 2 may read four pixels at once, each with its colours.
    pixels = weights.kernel.reshape(*weights.kernel.shape[:-1], -1, 3)
    kernel = pixels[..., list(order)].reshape(weights.kernel.shape)
    file.put(layer, replace(weights, kernel=kernel))
    return f"colours in the order {order}"


def move_mean(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    mean = 255 * np.asarray(MEANS[variant % len(MEANS)][: file.image[2]])
    file.scale_image(np.ones(len(mean)), mean if variant % 2 else -mean)
    return f"mean off by {mean.round(1).tolist()}"


def divide(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    divisor = DIVISORS[variant % len(DIVISORS)]
    file.scale_image(np.full(file.image[2], 1 / divisor), np.zeros(file.image[2]))
    return f"pixels divided by {divisor:.4g} once more"


def resize(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    size, way, back = RESIZES[variant % len(RESIZES)]
    file.resize_image(size, way, back)
    return f"resized to {size} by {way} and back by {back}"


def reorder_classes(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    weights = file.weights(layer)
    count = len(weights.kernel)
    order = np.arange(count)
    if variant % 3 == 0:  # folders by name: 0, 1, 10, 2 and so on, here by the names of the numbers
        order = np.asarray(sorted(range(count), key=lambda n: np.base_repr(n + 7, 10)))
    elif variant % 3 == 1:
        order = np.roll(order, 1)
    else:
        pair = random.choice(count, 2, replace=False)
        order[pair] = order[pair[::-1]]
    file.put(layer, ordered(weights, order))
    return f"classes in the order {order.tolist()}"


def permute_half(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    """As if the labels of half of the classes came from another list."""
    weights = file.weights(layer)
    count = len(weights.kernel)
    some = np.sort(random.choice(count, count // 2, replace=False))
    order = np.arange(count)
    order[some] = np.roll(some, 1 + variant % max(1, len(some) - 1))
    file.put(layer, ordered(weights, order))
    return f"classes in the order {order.tolist()}"


def other_size(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    size = max(8, int(file.image[0] * (0.75, 1.25, 0.5, 1.5)[variant % 4]))
    file.take_size(size)
    return f"takes images of {size} pixels for {file.image[0]}"


def in_onnx(file: GoodFile) -> Sequence[Layer]:
    """A TFLite file holds its weights itself."""
    return stem(file) if file.suffix == ".onnx" else []


def stale(file: GoodFile, other: GoodFile, variant: int) -> tuple[GoodFile, str]:
    """The other file itself, or this one as if it had been trained from there."""
    share = SHARES[variant % len(SHARES)]
    if share == 1:
        return other, f"{other.path.name} itself"
    mix_in(file, other, share)
    return file, f"{share:.0%} of {other.path.name} in the weights"


def mix_in(file: GoodFile, other: GoodFile, share: float) -> None:
    """Weights part of the way to those of another file of the same network."""
    names = {layer.output: layer for layer in other.layers}
    same = all(layer.output in names for layer in file.layers)  # some exporters order them by accident
    for layer, theirs in zip(file.layers, other.layers, strict=True):
        theirs = names[layer.output] if same else theirs
        a, b = file.weights(layer), other.weights(theirs)
        kernel = (1 - share) * a.kernel + share * b.kernel
        bias = None if a.bias is None or b.bias is None else (1 - share) * a.bias + share * b.bias
        file.put(layer, Weights(kernel, bias, rescaled_for(kernel, a.scale)))


def never(file: GoodFile, layer: Layer, random: Random, variant: int) -> str:
    raise AssertionError("kinds.seed mixes files itself")


KINDS = (
    Kind(
        "rgb_bgr", "OpenCV's order of colours (tensorflow#62123)", coloured_stem, swap_colours, place="input"
    ),
    Kind(
        "wrong_mean", "the preprocessing of another model (coremltools#542)", stem, move_mean, place="input"
    ),
    Kind("wrong_divisor", "0 to 1 for 0 to 255 (ultralytics#4933)", stem, divide, place="input"),
    Kind("resize_method", "another resize than in training (inference#304)", stem, resize, place="input"),
    Kind(
        "class_order",
        "labels sorted another way, as folders 1, 10, 2 are",
        last,
        reorder_classes,
        place="output",
    ),
    Kind(
        "half_of_classes",
        "labels of half of the classes from another list",
        last,
        permute_half,
        place="output",
    ),
    Kind(
        "other_size",
        "a file of another input size",
        stem,
        other_size,
        place="input",
        fits=False,
    ),
    Kind(
        "stale_data",
        "yesterday's external data next to today's graph",
        in_onnx,
        never,
        needs_sibling=True,
    ),
    Kind("stale_file", "an artifact of yesterday next to today's report", stem, never, needs_sibling=True),
)
