"""The layers of a model file, in the order of execution, as real numbers, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.window import Pads

Real = NDArray[np.float64]

IMAGE = -1
WEIGHTED = frozenset({"conv", "depthwise", "dense", "scale", "shift"})
"""Kinds that have constants; the last two multiply and add one to each channel."""


@dataclass(frozen=True)
class Grid:
    """What an integer tensor can hold: from `low` to `high`, in steps of `step`."""

    low: float
    high: float
    step: float


@dataclass(frozen=True)
class Layer:
    """One operation that computes.

    `name` is the tensor that it gives; `values` the one behind the activation and whatever moves or rounds
    it, where it is watched. `weights` (O, kh, kw, I), `bias` (O,); `step` (O,) is what the weights are
    rounded to, None where they are not. `stored` are the weights as integers. `shape` is (H, W, C) or (C,).
    `positive`: nothing below zero comes out, and nothing above `limit`. `reads` are numbers of layers, or
    IMAGE. `nchw`: the file has the values in that layout. `padding` is top, left, bottom, right, that of a
    PAD before it included, None where it is not known. `vector_step` is what the summand, or the factor, of
    each channel was rounded to, where that is an operation of its own.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    reads: tuple[int, ...]
    values: str = ""
    weights: Real | None = None
    bias: Real | None = None
    step: Real | None = None
    stored: NDArray[np.integer] | None = None
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pads | None = (0, 0, 0, 0)
    positive: bool = False
    limit: float | None = None
    grid: Grid | None = None
    nchw: bool = False
    vector_step: float = 0.0

    def over_inputs(self, factors: Real) -> Real:
        """Factors (C,) of the channels that it reads, or one, as an array to multiply its weights with: of
        groups each output reads its own, and behind a Flatten they come once for each pixel."""
        assert self.weights is not None
        outputs, inputs = len(self.weights), self.weights.shape[3]
        if len(factors) in (1, inputs):
            return factors
        groups, odd = divmod(len(factors), inputs)
        if self.kind != "dense" and not odd and outputs % groups == 0:
            own: Real = factors.reshape(groups, 1, 1, inputs).repeat(outputs // groups, axis=0)
            return own
        if self.kind == "dense" and inputs % len(factors) == 0:
            return np.tile(factors, inputs // len(factors))
        return np.ones(1)


@dataclass(frozen=True)
class Strange:
    """An operation that changes values, and whose constants are not compared: the tensor that it gives, its
    kind, and how it does it ("" where that is not known)."""

    name: str
    kind: str
    how: str


@dataclass(frozen=True)
class Network:
    """The layers of a file; `oddities` are sentences with the name of a tensor, of what contradicts
    itself."""

    layers: tuple[Layer, ...]
    oddities: tuple[tuple[str, str], ...] = ()
    strange: tuple[Strange, ...] = ()


class Builder:
    """Layers while a file is read: which layer each tensor comes from, and what stands behind a layer."""

    def __init__(self, inputs: list[str]) -> None:
        self.layers: list[Layer] = []
        self.strange: list[Strange] = []
        self.oddities: list[tuple[str, str]] = []
        self._source = dict.fromkeys(inputs, IMAGE)

    def source(self, tensor: str) -> int:
        """The number of the layer that a tensor comes from."""
        return self._source.get(tensor, IMAGE)

    def add(self, layer: Layer) -> None:
        """The next layer; it is watched where its output is, unless something stands behind it."""
        self._source[layer.name] = len(self.layers)
        self.layers.append(replace(layer, values=layer.name))

    def move(self, given: str, out: str) -> None:
        """`out` is what `given` is, in another place."""
        self._source[out] = self.source(given)

    def behind(
        self,
        given: str,
        out: str,
        *,
        positive: bool = False,
        limit: float | None = None,
        grid: Grid | None = None,
    ) -> None:
        """`out` is what becomes of the output `given` of a layer: rounded, or cut below zero."""
        number = self.source(given)
        self.move(given, out)
        if number == IMAGE or self.layers[number].values != given:
            return
        layer = self.layers[number]
        self.layers[number] = replace(
            layer,
            values=out,
            positive=layer.positive or positive,
            limit=limit if layer.limit is None else layer.limit,
            grid=layer.grid or grid,
        )

    def odd(self, tensor: str, kind: str, how: str = "") -> None:
        """An operation of an unknown kind."""
        self.strange.append(Strange(tensor, kind, how))

    def network(self) -> Network:
        """What was read."""
        return Network(tuple(self.layers), tuple(self.oddities), tuple(self.strange))
