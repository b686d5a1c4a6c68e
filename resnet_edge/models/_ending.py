"""Runs in a worker. What a model ends in: a classifier, or features that nothing classifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras

from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import Call, FlatGraph, flat_graph

_PASSING = frozenset(
    [
        "Flatten",
        "Reshape",
        "Dropout",
        "SpatialDropout2D",
        "GaussianNoise",
        "GaussianDropout",
        "Identity",
        "Squeeze",
        "Cast",
    ]
)
"""What moves values and leaves them."""
_POOLING = frozenset(
    ["GlobalAveragePooling2D", "GlobalMaxPooling2D", "AveragePooling2D", "MaxPooling2D", "Mean", "Max"]
)
_UNIT = frozenset(("UnitNormalization", "Normalize", "LayerNormalization"))
"""What makes all embeddings as long; no classifier ends in it."""
_WEIGHTED = frozenset(("Dense", "EinsumDense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"))

Ends = Literal["classifier", "features", "unknown"]


@dataclass(frozen=True)
class Ending:
    """`classifier`: a layer that gives a score for each class, with nothing behind it but what pools or moves
    them. `features`: there is none. `last` names what the model ends in, for people."""

    kind: Ends
    last: str


def ending(graph: keras.Model, shape: tuple[int, int, int]) -> Ending:
    """What `graph`, whose input is (batch, *shape), ends in. A last Dense is always a classifier: its weights
    do not tell whether its values are scores."""
    try:
        flat = flat_graph(graph, shape)
    except ModelError:
        return Ending("unknown", "")
    last = flat.producer(flat.output)
    return Ending("unknown", "") if last is None else Ending(_kind(flat, last), _named(last))


def _kind(flat: FlatGraph, last: Call) -> Ends:
    call: Call | None = last
    pooled = normalized = activated = False
    while call is not None:
        if call.kind in _UNIT or _divides_by_length(flat, call):
            return "features"
        if call.kind in _WEIGHTED:
            activated = activated or not _is_linear(call)
            scores = not pooled or not (activated or normalized)
            return "classifier" if scores else "features"
        if call.kind in _POOLING or call.kind == "Flatten":
            pooled = True
        elif call.kind == "BatchNormalization":
            normalized = True
        elif call.kind in ("ReLU", "Activation", "LeakyReLU", "PReLU", "ELU", "Relu6", "Silu", "Relu"):
            activated = activated or not _is_linear(call)
        elif call.kind not in _PASSING:
            break
        call = flat.producer(call.inputs[0]) if call.inputs else None
    return "features" if pooled else "unknown"


def _is_linear(call: Call) -> bool:
    if call.kind in _WEIGHTED or call.kind == "Activation":
        return getattr(call.operation.activation, "__name__", None) == "linear"
    return False


def _divides_by_length(flat: FlatGraph, call: Call) -> bool:
    if call.kind not in ("TrueDivide", "Divide"):
        return False
    return any((by := flat.producer(tensor)) is not None and by.kind == "Norm" for tensor in call.inputs)


def _named(call: Call) -> str:
    return f"{call.kind} ({call.name})"
