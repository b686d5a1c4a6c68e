"""Runs in a worker. Magnitude pruning with tensorflow-model-optimization: small weights become zero.

Zhu, Gupta, "To prune, or not to prune", arXiv:1710.01878: while the network trains on, the
weights of a kernel with the smallest magnitude are masked, a growing share of them, and what is
left makes up for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

import keras
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from resnet_edge.core.errors import ModelError, ResnetEdgeError, UsageError
from resnet_edge.models.functional.flat import Call, FlatGraph

KINDS = (keras.layers.Conv2D, keras.layers.Dense)
"""What is pruned. tfmot's own list is longer, and fails on layers that it does not know (Rescaling)."""

ENDS_AT = 0.6
"""The share of the training after which the masks stay: the rest is for the weights that are left,
at the small learning rates of a cosine schedule."""

UPDATES = 40
"""Mask updates at least, where there are as many steps; tfmot's default is one in 100 steps."""


@dataclass(frozen=True, kw_only=True)
class SparsityPlan:
    """When masks are made anew: from step `begin` to step `end`, every `frequency` steps, steps
    counted from 1. The last of them is `end`, at which `amount` is reached."""

    schedule: Literal["polynomial", "constant"]
    amount: float
    begin: int
    end: int
    frequency: int


@dataclass(frozen=True)
class LayerSparsity:
    """The zeros in the kernel of one layer; `sparsity` is their share."""

    name: str
    weights: int
    zeros: int
    sparsity: float


def plan(schedule: Literal["polynomial", "constant"], amount: float, steps: int) -> SparsityPlan:
    """A plan for a training of so many steps."""
    last = max(1, int(ENDS_AT * steps))
    frequency = max(1, min(100, last // UPDATES))
    begin = 0 if schedule == "polynomial" else 1
    updates = max(1, (last - begin) // frequency)
    end = begin + updates * frequency if last > begin else last
    return SparsityPlan(schedule=schedule, amount=amount, begin=begin, end=end, frequency=frequency)


def layers_to_prune(graph: FlatGraph, exclude: tuple[str, ...] | None) -> tuple[str, ...]:
    """The names of the convolutions and dense layers that `exclude` (names or globs) leaves.

    None: all but the first convolution, which has few weights and is the most sensitive (Gale,
    Elsen, Hooker, "The State of Sparsity", arXiv:1902.09574, and Evci et al., arXiv:1911.11134,
    leave it dense too; the classifier both prune). Raises UsageError for a name that nothing
    bears and where nothing is left, ModelError where there is nothing from the start.
    """
    calls = _prunable(graph)
    names = [call.name for call in calls]
    if not names:
        raise ModelError(f"{graph.name} has no Conv2D and no Dense layer: there is nothing to prune")
    if exclude is None:
        first = next((call.name for call in calls if isinstance(call.operation, keras.layers.Conv2D)), None)
        exclude = () if first is None or len(names) == 1 else (first,)
    else:
        _check_names(exclude, names)
    left = tuple(name for name in names if not any(fnmatchcase(name, word) for word in exclude))
    if not left:
        raise UsageError("--exclude leaves no layer to prune: name fewer")
    return left


def masked(model: Any, names: Iterable[str], how: SparsityPlan) -> Any:
    """A tf_keras model on the layers of `model`, in which those called `names` are pruned as it trains.

    It needs the callback `update_step()`.
    """
    chosen = set(names)

    def clone(layer: Any) -> Any:
        if layer.name not in chosen:
            return layer
        return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=_schedule(how))

    return tf_keras.models.clone_model(model, clone_function=clone)


def update_step() -> Any:
    """The callback that counts the steps, and sets the masked weights to zero as an epoch ends."""
    return tfmot.sparsity.keras.UpdatePruningStep()


def stripped(model: Any) -> Any:
    """The model without its masks; the zeros stay."""
    return tfmot.sparsity.keras.strip_pruning(model)


def sparsity(graph: FlatGraph, names: Iterable[str]) -> tuple[LayerSparsity, ...]:
    """The zeros in the kernels of the layers called `names`, counted."""
    chosen = set(names)
    layers = []
    for call in _prunable(graph):
        if call.name in chosen:
            kernel = np.asarray(keras.ops.convert_to_numpy(call.operation.kernel))
            zeros = int(kernel.size - np.count_nonzero(kernel))
            layers.append(LayerSparsity(call.name, kernel.size, zeros, zeros / kernel.size))
    return tuple(layers)


def check_sparsity(layers: Iterable[LayerSparsity], amount: float) -> None:
    """Raises ResnetEdgeError where a kernel has fewer zeros than `amount` of its weights.

    One weight fewer is let pass: tfmot computes the count in float32, and leaves one weight at
    least. More zeros than asked for are those that the kernel had before.
    """
    for layer in layers:
        wanted = min(round(layer.weights * amount), layer.weights - 1)
        if layer.zeros < wanted - max(1, round(1e-6 * layer.weights)):
            raise ResnetEdgeError(
                f"the layer {layer.name} has {layer.zeros:,} zeros in {layer.weights:,} weights, and "
                f"{wanted:,} were asked for (many have the same magnitude): add it to --exclude"
            )


def _prunable(graph: FlatGraph) -> list[Call]:
    """The calls of Conv2D and Dense, each layer once. (DepthwiseConv2D has its own class.)"""
    seen: set[int] = set()
    prunable = []
    for call in graph.calls:
        if type(call.operation) in KINDS and id(call.operation) not in seen:
            seen.add(id(call.operation))
            prunable.append(call)
    return prunable


def _check_names(exclude: tuple[str, ...], names: list[str]) -> None:
    for word in exclude:
        if not any(fnmatchcase(name, word) for name in names):
            shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
            raise UsageError(
                f"--exclude {word!r}: no convolution or dense layer is called so; there are {shown}"
            )


def _schedule(how: SparsityPlan) -> Any:
    if how.schedule == "constant":
        return tfmot.sparsity.keras.ConstantSparsity(how.amount, how.begin, how.end, how.frequency)
    return tfmot.sparsity.keras.PolynomialDecay(0.0, how.amount, how.begin, how.end, 3, how.frequency)
