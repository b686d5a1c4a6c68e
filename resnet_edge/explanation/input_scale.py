"""Multiplications of the image, put into the layers that read it: one converter leaves them apart (tf2onnx),
and another folds them (TensorFlow's)."""

from __future__ import annotations

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
