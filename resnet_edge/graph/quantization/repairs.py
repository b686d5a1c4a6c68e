"""Repairs of a float portable graph before it is quantized, for those who cannot train.

Each gives new constants for the same network: `round` (rounding.py), `equalize`
(equalize.py), `bias` (bias.py). They are found from one pass (calibrate.py), and the pass
need not be run again: what equalization does to the activations is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import UnknownName
from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import Graph
from resnet_edge.graph.quantization.bias import corrected
from resnet_edge.graph.quantization.calibrate import Measured
from resnet_edge.graph.quantization.equalize import equalize
from resnet_edge.graph.quantization.rounding import WORTH, can_round, enough, rounded_together, work
from resnet_edge.graph.quantization.weighted import Constants, Layer, layers, with_constants

REPAIRS = ("round", "equalize", "bias")
"""In the order in which a search adds them: on the bundled ResNet-20 the first gains most, and
what equalization gains in activations it loses in weights that are not rounded together."""
EXACT = frozenset({"equalize"})
"""Those that leave the outputs of the float graph as they are. The others fit the constants of a
layer to its rounding, and a layer that is not rounded is better off without."""


@dataclass(frozen=True)
class Repaired:
    """New constants for the float graph, what its activations are then like, and what a
    repair left out and why (one line each)."""

    constants: Constants
    measured: Measured
    skipped: tuple[str, ...] = ()


def possible(graph: Graph, *, at_any_cost: bool) -> tuple[str, ...]:
    """The repairs that are worth their time on this graph, in order."""
    too_long = work(layers(graph)) > WORTH and not at_any_cost
    return tuple(name for name in REPAIRS if not (name == "round" and too_long))


def repaired(
    graph: Graph,
    measured: Measured,
    repairs: tuple[str, ...],
    untouchable: frozenset[str] = frozenset(),
    dense_scales: DenseScales = "per-tensor",
) -> Repaired:
    """The float graph under some of REPAIRS, to be stored with `dense_scales`; the ranges of `untouchable`
    tensors stay.

    `measured` must hold moments where `round` or `bias` is asked for. Raises UnknownName.
    """
    if unknown := set(repairs) - set(REPAIRS):
        raise UnknownName(f"no repair is called {unknown.pop()!r}; choose from: {', '.join(REPAIRS)}")
    constants: Constants = {}
    skipped: list[str] = []
    if "equalize" in repairs:
        equal = equalize(graph, measured, untouchable)
        constants, measured = dict(equal.constants), measured.scaled(equal.scales)
        skipped += [f"not equalized: {reason}" for reason in equal.skipped]
    weights = {"round", "bias"}.intersection(repairs)
    for layer in layers(with_constants(graph, constants), dense_scales) if weights else ():
        if layer.grouped:
            skipped.append(
                f"weights rounded one by one, and bias not corrected: {_short(layer.output)} has groups"
            )
            continue
        rows = _rounded(layer, measured, skipped) if "round" in repairs else None
        if rows is not None:
            constants[layer.index, 1] = layer.kernel_of(rows)
        if "bias" in repairs:
            mean = measured.moments[layer.index].mean * _factors(layer, measured)
            each = layer.rounded() if rows is None else rows
            bias = corrected(layer, each, mean)
            if bias is None:
                skipped.append(f"bias not corrected: {_short(layer.output)} has none")
            else:  # to these weights, in every scheme
                constants[layer.index, 1] = layer.kernel_of(each)
                constants[layer.index, 2] = bias
    return Repaired(constants, measured, tuple(skipped))


def _rounded(layer: Layer, measured: Measured, skipped: list[str]) -> NDArray[np.float32] | None:
    moments = measured.moments[layer.index]
    second = moments.second() if can_round(layer) else None
    if second is None:
        skipped.append(f"weights rounded one by one: {_short(layer.output)} is depthwise or too large")
        return None
    if not enough(moments):
        skipped.append(
            f"weights rounded one by one: {_short(layer.output)} has {len(moments.first)} weights a row, "
            f"and the images gave only {moments.count} patches"
        )
        return None
    factors = _factors(layer, measured)
    return rounded_together(layer, second * np.outer(factors, factors))


def _factors(layer: Layer, measured: Measured) -> NDArray[np.float64]:
    """What equalization multiplies each tap of a layer's patches by."""
    scales = measured.activations[layer.source].scales
    return np.tile(scales, len(measured.moments[layer.index].first) // len(scales))


def _short(name: str) -> str:
    return name.split(";")[0]
