"""Runs in a worker. Which residual blocks go: those whose absence the loss feels least.

The loss is measured on real images with branches shut, in inference mode. Paths through a
residual network are nearly independent (Veit et al., arXiv:1605.06431), but not quite: it is
measured anew after every removal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from resnet_edge.compression.pruning import Kind
from resnet_edge.compression.pruning.blocks import ResidualBlock, removable, without
from resnet_edge.compression.pruning.cost import cost
from resnet_edge.compression.pruning.groups import channel_map
from resnet_edge.compression.pruning.taylor import Loss
from resnet_edge.core.errors import DataError
from resnet_edge.models.functional.flat import Call, FlatGraph, copied, copy_weights, rebuild

Batches = Sequence[tuple[Any, Any]]
"""Images (B, H, W, C), as the model takes them, and their labels."""


class ShutBlocks:
    """The network of `graph`, with branches that can be shut: one model for all combinations."""

    def __init__(
        self, graph: FlatGraph, blocks: Iterable[ResidualBlock], loss: Loss, batches: Batches
    ) -> None:
        if not batches:
            raise DataError("there are no images to measure the blocks with: give some")
        self._loss, self._batches = loss, batches
        self._gates: dict[str, _GatedAdd] = {}
        self._model = self._gated(graph, {block.name: block for block in blocks})
        self._known: dict[frozenset[str], float] = {}

    def loss(self, shut: Collection[str] = ()) -> float:
        """The mean loss over all images with the branches of these blocks at zero.

        Raises DataError where it is not finite.
        """
        key = frozenset(shut)
        if key not in self._known:
            for name, gate in self._gates.items():
                gate.opening.assign(0.0 if name in key else 1.0)
            self._known[key] = mean_loss(self._model, self._loss, self._batches)
        return self._known[key]

    def _gated(self, graph: FlatGraph, blocks: dict[str, ResidualBlock]) -> keras.Model:
        calls = [self._gate(call, blocks[call.name]) if call.name in blocks else call for call in graph.calls]
        gated = replace(graph, calls=tuple(calls))
        model = rebuild(gated, lambda call: self._gates.get(call.name) or copied(call))
        copy_weights(graph, model)  # an Add has none
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = False  # XLA:CPU runs convolutions without oneDNN
        return model

    def _gate(self, call: Call, block: ResidualBlock) -> Call:
        position = next(number for number, t in enumerate(call.inputs) if t != block.shortcut)
        gate = self._gates[call.name] = _GatedAdd(position, name=call.name)
        return replace(call, operation=gate, args=(list(call.inputs),), kwargs={})


class BlockChoice:
    """The greedy choice of blocks of `graph`, without those that `exclude` matches.

    The next is the one whose absence adds the least to the loss for each unit of cost (`kind`)
    that it saves.
    """

    def __init__(
        self, graph: FlatGraph, loss: Loss, batches: Batches, kind: Kind = "macs", exclude: Iterable[str] = ()
    ) -> None:
        self._graph, self._kind, self._exclude = graph, kind, tuple(exclude)
        self._shut = ShutBlocks(graph, removable(graph, self._exclude), loss, batches)
        self._names = {block.name for block in removable(graph, self._exclude)}
        self._order: list[str] = []

    def first(self, count: int) -> tuple[str, ...]:
        """The first `count` blocks that go, in order; fewer where there are no more."""
        while len(self._order) < count:
            following = self._next(tuple(self._order), least=0)
            if following is None:
                break
            self._order.append(following)
        return tuple(self._order[:count])

    def down_to(self, allowed: float) -> tuple[str, ...]:
        """The blocks that go before the cost would fall below `allowed`, in order."""
        gone: tuple[str, ...] = ()
        while following := self._next(gone, least=allowed):
            gone = (*gone, following)
        return gone

    def following(self, removed: tuple[str, ...]) -> str | None:
        """The block that goes after `removed`; None: no further one can."""
        return self._next(removed, least=0)

    def loss(self, removed: Collection[str] = ()) -> float:
        """The mean loss without these blocks."""
        return self._shut.loss(removed)

    def _next(self, removed: tuple[str, ...], least: float) -> str | None:
        graph = without(self._graph, removed)
        before = self._cost(graph)
        prices = []
        for block in removable(graph, self._exclude):
            left = self._cost(without(graph, [block.name]))
            if block.name in self._names and left >= least:
                more = self._shut.loss((*removed, block.name)) - self._shut.loss(removed)
                prices.append((max(0.0, more) / max(1, before - left), more, block.name))
        return min(prices)[2] if prices else None

    def _cost(self, graph: FlatGraph) -> int:
        return cost(channel_map(graph)).of(self._kind)


def block_losses(graph: FlatGraph, loss: Loss, batches: Batches) -> dict[str, float]:
    """By the name of each block that can be removed, how much the mean loss grows without it alone."""
    blocks = removable(graph)
    shut = ShutBlocks(graph, blocks, loss, batches)
    return {block.name: shut.loss([block.name]) - shut.loss() for block in blocks}


def mean_loss(model: keras.Model, loss: Loss, batches: Batches) -> float:
    """The mean of `loss` over all images, in inference mode. Raises DataError where it is not finite."""
    total, count = 0.0, 0
    for images, labels in batches:
        mean = keras.ops.mean(loss(labels, keras.ops.convert_to_tensor(model.predict_on_batch(images))))
        total += float(keras.ops.convert_to_numpy(mean)) * len(labels)
        count += len(labels)
    if not np.isfinite(total):
        raise DataError("the loss is NaN or infinite: check the labels, the preprocessing and the model")
    return total / count


def renew_statistics(model: keras.Model, batches: Batches) -> None:
    """Give the batch normalizations of `model` the mean and variance that they see on these images.

    What is left of a network after channels went has other statistics; fine-tuning would begin
    with finding them. Layers that are frozen keep theirs.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for number, (images, _) in enumerate(batches):
        for layer in norms:
            layer.momentum = number / (number + 1)  # the mean over the batches so far
        model(images, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum


class _GatedAdd(keras.layers.Layer):
    """Two tensors added, the one at `position` times `opening`, a scalar."""

    def __init__(self, position: int, name: str) -> None:
        super().__init__(name=name, trainable=False)
        self._position = position
        self.opening = self.add_weight(shape=(), initializer="ones", trainable=False, name="opening")

    def call(self, tensors: list[Any]) -> Any:
        branch, shortcut = tensors[self._position], tensors[1 - self._position]
        return shortcut + branch * self.opening

    def compute_output_shape(self, shapes: Any) -> Any:
        return shapes[1 - self._position]
