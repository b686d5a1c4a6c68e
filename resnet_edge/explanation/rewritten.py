"""What converters and optimizers write in another way, as the reference has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from resnet_edge.explanation.layers import Layer, Network

Number = TypeVar("Number", bound=np.number[Any])
BLOCK = 2
AFFINE = frozenset({"scale", "shift"})
MULTIPLIED = frozenset({"conv", "depthwise", "dense"})


def spread(layer: Layer) -> Layer:
    """A convolution of blocks of 2 x 2 pixels (graph/stems.py) as one of pixels, without the zeros that
    make its kernel even."""
    assert layer.weights is not None
    weights, stored = _pixels(layer.weights), None if layer.stored is None else _pixels(layer.stored)
    zero = (weights == 0).all(axis=(0, 3))
    rows, columns = _edges(zero.all(axis=1)), _edges(zero.all(axis=0))
    inside = np.s_[:, rows[0] : rows[1], columns[0] : columns[1]]
    padding = layer.padding
    if padding is not None:
        top, left, bottom, right = (BLOCK * blocks for blocks in padding)
        height, width = weights.shape[1:3]
        padding = (top - rows[0], left - columns[0], bottom + rows[1] - height, right + columns[1] - width)
    return replace(
        layer,
        weights=weights[inside],
        stored=None if stored is None else stored[inside],
        stride=(BLOCK * layer.stride[0], BLOCK * layer.stride[1]),
        padding=padding,
    )


def _pixels(blocks: NDArray[Number]) -> NDArray[Number]:
    """(O, h, w, 4 I) to (O, 2 h, 2 w, I)."""
    outputs, height, width, inputs = blocks.shape
    apart = blocks.reshape(outputs, height, width, BLOCK, BLOCK, inputs // BLOCK**2)
    return apart.transpose(0, 1, 3, 2, 4, 5).reshape(outputs, BLOCK * height, BLOCK * width, -1)


def _edges(zero: NDArray[np.bool_]) -> tuple[int, int]:
    """Without a zero at the start and one at the end."""
    return int(zero[0]), len(zero) - int(zero[-1])


def canonical(network: Network) -> Network:
    """Each chain of factors and summands for the channels as one factor and one summand at most, and these in
    the layer of weights before them, where nothing else reads what is between: TensorFlow's converter folds a
    batch normalization, and tf2onnx leaves it apart where the convolution has a bias."""
    layers = [*network.layers]
    while (found := _next(layers)) is not None:
        number, instead = found
        before = layers[number].reads[0]
        layers[before] = instead[0]
        if len(instead) == 2:
            layers[number] = instead[1]
        else:
            layers.pop(number)
            layers = [replace(each, reads=_renumbered(each.reads, number, before)) for each in layers]
    return replace(network, layers=tuple(layers))


def _next(layers: list[Layer]) -> tuple[int, tuple[Layer, ...]] | None:
    """The next layer that can be put together with the one before it, and what the two become."""
    readers = [read for layer in layers for read in layer.reads]
    for number, layer in enumerate(layers):
        if layer.kind not in AFFINE or len(layer.reads) != 1 or readers.count(layer.reads[0]) != 1:
            continue
        if layer.reads[0] >= 0:
            instead = _together(layers[layer.reads[0]], layer)
            if instead is not None:
                return number, instead
    return None


def _together(before: Layer, layer: Layer) -> tuple[Layer, ...] | None:
    vector, size = layer.weights if layer.kind == "scale" else layer.bias, layer.shape[-1:]
    if vector is None or before.positive or before.limit is not None or before.shape != layer.shape:
        return None
    if before.kind in MULTIPLIED and before.weights is not None and (len(before.weights),) == size:
        return (_merged(before, layer),) if vector.size in (1, *size) else None
    if before.kind in AFFINE and (before.kind, layer.kind) != ("scale", "shift"):
        return _in_order(before, layer)
    return None


def _in_order(first: Layer, second: Layer) -> tuple[Layer, ...] | None:
    """Two of a kind as one, or a summand and then a factor as a factor and then a summand, whose tensor
    between is in no file."""
    one, two = (each.weights.ravel() if each.weights is not None else each.bias for each in (first, second))
    if one is None or two is None or (one.size != two.size and 1 not in (one.size, two.size)):
        return None
    if first.kind == second.kind == "shift":
        return (_ending(replace(first, bias=one + two), second),)
    if first.kind == second.kind:
        return (_ending(replace(first, weights=(one * two).reshape(-1, 1, 1, 1)), second),)
    factor = replace(
        first, kind="scale", weights=two.reshape(-1, 1, 1, 1), bias=None, values="", grid=second.grid
    )
    return factor, replace(second, kind="shift", weights=None, bias=one * two)


def _ending(layer: Layer, behind: Layer) -> Layer:
    """The layer with what stands behind another."""
    return replace(
        layer,
        values=behind.values,
        positive=behind.positive,
        limit=behind.limit,
        grid=behind.grid or layer.grid,
        nchw=behind.nchw,
    )


def _merged(layer: Layer, behind: Layer) -> Layer:
    assert layer.weights is not None
    bias = layer.bias if layer.bias is not None else np.zeros(len(layer.weights))
    found = _ending(layer, behind)
    if behind.kind == "shift":
        assert behind.bias is not None
        return replace(found, bias=bias + behind.bias, vector_step=behind.vector_step)
    assert behind.weights is not None
    factor = np.broadcast_to(behind.weights.ravel(), len(layer.weights))
    return replace(
        found,
        weights=layer.weights * factor.reshape(-1, 1, 1, 1),
        bias=bias * factor,
        # What rounding the factor does to a weight of 127 steps is rounding, too.
        step=None if layer.step is None else layer.step * (np.abs(factor) + 64 * behind.vector_step),
    )


def _renumbered(reads: tuple[int, ...], gone: int, instead: int) -> tuple[int, ...]:
    return tuple(instead if read == gone else read - (read > gone) for read in reads)
