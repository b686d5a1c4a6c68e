"""Multiplications of the image, put into the layers that read it: one converter leaves them apart (tf2onnx),
and another folds them (TensorFlow's)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from resnet_edge.explanation.layers import IMAGE, Layer, Network, Real

NEAR_ONE = 0.1
"""A scale so near to one is no Rescaling (1/255, 1/127.5), and rounded weights cannot tell whether it was
folded."""


def folded_input_scale(network: Network, other: Network) -> Network:
    """The same network, in which a scale of the image alone is one, and layers read the image itself, where
    the weights of `other` say that it was folded there. What is padded with zeros stays zero, so that nothing
    else changes; a scale that is one too many stays where it is."""
    layers = [*network.layers]
    for number, layer in enumerate(layers):
        if layer.kind == "shift" and is_neutral(layer):  # as Rescaling has it
            layers = [_past(each, number, layer.reads) for each in layers]
            layers[number] = replace(layer, reads=())
    _fold_shifts(layers, other)
    for number, layer in enumerate(layers):
        if layer.kind != "scale" or layer.reads != (IMAGE,) or layer.weights is None:
            continue
        readers = [n for n, each in enumerate(layers) if number in each.reads]
        factor = layer.weights.ravel()
        if np.abs(np.log(np.abs(factor))).max(initial=0) < NEAR_ONE:
            continue
        if readers and all(_takes(layers[n], factor) and _has(other, layers[n], factor) for n in readers):
            layers[number] = replace(layer, weights=np.ones_like(layer.weights))
            for n in readers:
                layers[n] = _with(layers[n], factor, number)
    return replace(network, layers=tuple(layers))


def _fold_shifts(layers: list[Layer], other: Network) -> None:
    """What is added to the image, put into the biases of the layers that read it, where `other` adds nothing:
    it can be where nothing is padded."""
    if any(
        each.kind == "shift" and not is_neutral(each) and _of_image(each, other.layers)
        for each in other.layers
    ):
        return
    for number, layer in enumerate(layers):
        if layer.kind != "shift" or layer.bias is None or not _of_image(layer, layers):
            continue
        readers = [n for n, each in enumerate(layers) if number in each.reads]
        if readers and all(_adds(layers[n]) for n in readers):
            summand = layer.bias
            for n in readers:
                each = layers[n]
                assert each.weights is not None
                bias = each.bias if each.bias is not None else np.zeros(len(each.weights))
                more = (each.weights * summand).sum(axis=(1, 2, 3))
                layers[n] = _past(replace(each, bias=bias + more), number, layer.reads)
            layers[number] = replace(layer, bias=np.zeros_like(layer.bias), reads=())


def _of_image(layer: Layer, layers: Sequence[Layer]) -> bool:
    """Whether it reads the image, or a scale of it."""
    if layer.reads == (IMAGE,):
        return True
    return (
        len(layer.reads) == 1
        and layers[layer.reads[0]].kind == "scale"
        and layers[layer.reads[0]].reads == (IMAGE,)
    )


def _adds(layer: Layer) -> bool:
    """Whether a summand of its image is one of its output."""
    return layer.kind == "conv" and layer.weights is not None and layer.padding == (0, 0, 0, 0)


def _has(other: Network, layer: Layer, factor: Real) -> bool:
    """Whether a layer that reads the image there has weights nearer to those times the factor than to those
    that they are."""
    for each in other.layers:
        if each.kind == layer.kind and IMAGE in each.reads and each.weights is not None:
            theirs, ours = each.weights, layer.weights
            if ours is not None and theirs.shape == ours.shape:
                apart = [float(np.square(theirs - ours * by).sum()) for by in (factor, 1.0)]
                return apart[0] < apart[1]
    return False


def is_neutral(layer: Layer) -> bool:
    """Whether it is a scale of one, or a shift by nothing."""
    if layer.kind == "shift":
        return layer.bias is not None and not layer.bias.any()
    return layer.kind == "scale" and layer.weights is not None and bool((layer.weights == 1).all())


def _takes(layer: Layer, factor: Real) -> bool:
    """Whether the factor, one or one per channel, can be put into its weights, and into their grid."""
    one = float(np.ptp(factor)) == 0
    return layer.kind == "conv" and layer.weights is not None and (one or layer.step is None)


def _with(layer: Layer, factor: Real, number: int) -> Layer:
    assert layer.weights is not None
    step = None if layer.step is None else layer.step * factor[0]
    return _past(replace(layer, weights=layer.weights * factor, step=step), number, (IMAGE,))


def _past(layer: Layer, number: int, reads: tuple[int, ...]) -> Layer:
    """The layer reading `reads` where it read the layer `number`."""
    return replace(
        layer, reads=tuple(new for read in layer.reads for new in (reads if read == number else (read,)))
    )
