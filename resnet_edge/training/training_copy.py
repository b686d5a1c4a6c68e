"""Runs in a worker. A copy of a network to train: under a precision policy, with fast layers."""

from __future__ import annotations

from typing import Any

import keras

from resnet_edge.models.functional.flat import Call, FlatGraph, copied, copy_weights, rebuild
from resnet_edge.training.fused_batchnorm import fused
from resnet_edge.training.recipe import Precision


def training_copy(graph: FlatGraph, precision: Precision) -> keras.Model:
    """A flat functional copy with the same layer names and weights.

    Under a mixed precision the last layer with weights, and what follows it, stay in float32:
    the loss needs the digits.
    """
    weighted = [number for number, call in enumerate(graph.calls) if _has_weights(call)]
    last = weighted[-1] if weighted else 0
    numbers = {id(call): number for number, call in enumerate(graph.calls)}

    def make(call: Call) -> Any:
        if precision == "float32" or numbers[id(call)] >= last:
            return fused(call.operation, call.name) or copied(call)
        return fused(call.operation, call.name) or copied(call, dtype=precision)

    model = rebuild(graph, make)
    copy_weights(graph, model)
    return model


def _has_weights(call: Call) -> bool:
    return bool(getattr(call.operation, "weights", ()))
