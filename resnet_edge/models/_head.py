"""Runs in a worker. How a model's outputs become answers, found once from its graph and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError
from resnet_edge.core.head import Head, Output
from resnet_edge.models import _graph

SCALES = (1.0, 16.0, 256.0)
"""Of noise in 0..1. What stays within 0 and 1 on all of it comes from a sigmoid; a logit grows with it."""
SINGLE = (None, "linear", "sigmoid", "softmax")
"""What may be the last activation of one output; the last of them is told apart."""

Network = Callable[[Any], Any]
Outputs = NDArray[np.float32]


def head_of(
    graph: keras.Model | None,
    network: Network,
    outputs: Outputs,
    shape: tuple[int, int, int],
    threshold: float | None,
    source: str,
) -> Head:
    """The head of a model whose `outputs` (B, n) are of noise; `graph` None: not known. `threshold` is what
    its sidecar says. Raises ModelError for one that is no classifier of one answer."""
    activation = _graph.last_activation(graph) if graph is not None else None
    if outputs.shape[1] == 1:
        return _binary(activation, network, shape, threshold, source)
    if threshold is not None:
        raise ModelError(
            f"the .json beside {source} has a threshold, and the model {outputs.shape[1]} outputs, whose "
            "largest is the answer: take it out"
        )
    if activation == "sigmoid":
        raise ModelError(
            f"{source} ends in {outputs.shape[1]} sigmoids, each for a label of its own (several may be "
            "right), and one answer is needed: end it with softmax, or with one sigmoid for two classes"
        )
    given = activation == "softmax" or looks_like_probabilities(outputs)
    return Head.of_classes(outputs.shape[1], "probabilities" if given else "logits")


def looks_like_probabilities(outputs: Outputs) -> bool:
    """Non-negative rows that sum to 1, within what bfloat16 rounds away."""
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-2))


def _binary(
    activation: str | None,
    network: Network,
    shape: tuple[int, int, int],
    threshold: float | None,
    source: str,
) -> Head:
    if activation not in SINGLE:
        raise ModelError(
            f"{source} gives one number per image, through {activation}, which is neither a probability nor "
            "a logit: end it with Dense(1, activation='sigmoid') for two classes"
        )
    if activation == "softmax":
        raise ModelError(
            f"{source} ends in a softmax over one number, which is 1 for every image: end it with "
            "Dense(1, activation='sigmoid') for two classes, and train again"
        )
    output: Output = "logits"
    if activation == "sigmoid" or _stays_within_one(network, shape):
        output = "probabilities"
    if threshold is not None and output == "probabilities" and not 0 < threshold < 1:
        raise ModelError(
            f"the .json beside {source} has the threshold {threshold:g}, and the model gives a probability: "
            "it is to be above 0 and below 1"
        )
    return Head.binary(output, threshold)


def _stays_within_one(network: Network, shape: tuple[int, int, int]) -> bool:
    random = np.random.default_rng(0)
    for scale in SCALES:
        images = random.random((2, *shape), np.float32) * np.float32(scale)
        found = np.asarray(keras.ops.convert_to_numpy(network(keras.ops.convert_to_tensor(images))))
        if not ((found >= 0).all() and (found <= 1).all()):
            return False
    return True
