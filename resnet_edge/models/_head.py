"""Runs in a worker. How a model's outputs become answers, found once from its graph and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError
from resnet_edge.core.head import Head, HeadKind, Output
from resnet_edge.models import _graph
from resnet_edge.models._ending import Ending, ending

SCALES = (1.0, 16.0, 256.0)
"""Of noise in 0..1. What stays within 0 and 1 on all of it comes from a sigmoid; a logit grows with it."""
SINGLE = (None, "linear", "sigmoid", "softmax")
"""What may be the last activation of one output; the last of them is told apart."""
UNKNOWN = Ending("unknown", "")

Network = Callable[[Any], Any]
Outputs = NDArray[np.float32]
Thresholds = float | tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class DeclaredHead:
    """What was said of a head: by the user or in the sidecar, `kind`; in the sidecar, `threshold`."""

    kind: HeadKind | None = None
    threshold: Thresholds = None


@dataclass(frozen=True, kw_only=True)
class FoundHead:
    """A head; `read_as` is a sentence where the model alone does not tell it, and `assumed` one where nothing
    does, and labels or class names may."""

    head: Head
    read_as: tuple[str, ...] = ()
    assumed: str = ""


@dataclass(frozen=True, kw_only=True)
class _Model:
    """What the graph of a model, if it is known, and its `outputs` (B, n) for noise say."""

    source: str
    activation: str | None
    ending: Ending
    network: Network
    shape: tuple[int, int, int]
    outputs: Outputs

    @property
    def count(self) -> int:
        return int(self.outputs.shape[1])


def head_of(
    graph: keras.Model | None,
    network: Network,
    outputs: Outputs,
    shape: tuple[int, int, int],
    declared: DeclaredHead,
    source: str,
) -> FoundHead:
    """The head of a model whose `outputs` (B, n) are of noise; `graph` None: not known. Raises ModelError for
    one that cannot be what was declared, or that gives no answer at all."""
    model = _Model(
        source=source,
        activation=_graph.last_activation(graph) if graph is not None else None,
        ending=ending(graph, shape) if graph is not None else UNKNOWN,
        network=network,
        shape=shape,
        outputs=outputs,
    )
    kind = declared.kind or _kind(model)
    _check_count(kind, model)
    _check_threshold(kind, declared.threshold, model)
    head = _OF[kind](model, declared.threshold)
    if declared.kind is not None:
        said = f"its outputs are taken as {WHAT[kind]}, as --head or the .json beside it says"
        return FoundHead(head=head, read_as=(said,))
    if kind == "embedding":
        said = f"it ends in {model.ending.last}, in no classifier, and is taken as {WHAT[kind]}"
        return FoundHead(head=head, read_as=(f"{said}: if these are scores of classes, say --head classes",))
    if kind == "multilabel" and model.activation is None:
        said = f"its outputs stay within 0 and 1, and are taken as {WHAT[kind]}"
        return FoundHead(head=head, read_as=(f"{said}: if they are not, say so with --head",))
    if kind == "classes" and head.output == "logits":
        said = f"its {model.count} outputs are taken as {WHAT[kind]}, which nothing in the model confirms"
        other = "if they are an embedding or several labels, say --head embedding or --head multilabel"
        return FoundHead(head=head, assumed=f"{said}: {other}")
    return FoundHead(head=head)


WHAT: dict[HeadKind, str] = {
    "classes": "scores of classes, of which the largest is the answer",
    "binary": "the score of the second of two classes",
    "multilabel": "scores of labels, any number of which may be right",
    "embedding": "an embedding",
}


def _kind(model: _Model) -> HeadKind:
    """What a model says that it is."""
    if model.count == 1:
        return "binary"
    if model.activation == "sigmoid":  # whatever their sum is
        return "multilabel"
    if model.activation == "softmax" or looks_like_probabilities(model.outputs):
        return "classes"
    if model.ending.kind == "features":
        return "embedding"
    # A graph that nobody knows, or that ends in an operation of its own: its values tell a sigmoid.
    by_values = model.activation is None and model.ending.kind == "unknown"
    return "multilabel" if by_values and _within_one(model) else "classes"


def _check_count(kind: HeadKind, model: _Model) -> None:
    if kind == "binary" and model.count != 1:
        raise ModelError(
            f"--head binary: {model.source} gives {model.count} numbers per image, and a binary classifier "
            "one: say multilabel for several labels, or classes for the largest"
        )
    if kind in ("multilabel", "embedding", "classes") and model.count == 1:
        raise ModelError(
            f"--head {kind}: {model.source} gives one number per image, which is a binary classifier's: "
            "leave --head out"
        )
    if kind == "multilabel" and model.activation == "softmax":
        raise ModelError(
            f"--head multilabel: {model.source} ends in a softmax, whose outputs share out one answer: end "
            "it with sigmoids, or leave --head out"
        )


def looks_like_probabilities(outputs: Outputs) -> bool:
    """Non-negative rows that sum to 1, within what bfloat16 rounds away."""
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-2))


def _classes(model: _Model, threshold: Thresholds) -> Head:
    given = model.activation in ("softmax", "sigmoid") or looks_like_probabilities(model.outputs)
    return Head.of_classes(model.count, "probabilities" if given else "logits")


def _embedding(model: _Model, threshold: Thresholds) -> Head:
    return Head.embedding(model.count)


def _multilabel(model: _Model, threshold: Thresholds) -> Head:
    output: Output = "probabilities" if model.activation == "sigmoid" or _within_one(model) else "logits"
    limits = (threshold,) * model.count if isinstance(threshold, float) else threshold or ()
    _check_limits(limits, output, model.source)
    return Head.multilabel(model.count, output, limits)


def _binary(model: _Model, threshold: Thresholds) -> Head:
    if model.activation not in SINGLE:
        raise ModelError(
            f"{model.source} gives one number per image, through {model.activation}, which is neither a "
            "probability nor a logit: end it with Dense(1, activation='sigmoid') for two classes"
        )
    if model.activation == "softmax":
        raise ModelError(
            f"{model.source} ends in a softmax over one number, which is 1 for every image: end it with "
            "Dense(1, activation='sigmoid') for two classes, and train again"
        )
    output: Output = "logits"
    if model.activation == "sigmoid" or _within_one(model):
        output = "probabilities"
    assert not isinstance(threshold, tuple)
    _check_limits(() if threshold is None else (threshold,), output, model.source)
    return Head.binary(output, threshold)


_OF: dict[HeadKind, Callable[[_Model, Thresholds], Head]] = {
    "classes": _classes,
    "binary": _binary,
    "multilabel": _multilabel,
    "embedding": _embedding,
}


def _check_threshold(kind: HeadKind, threshold: Thresholds, model: _Model) -> None:
    """Whether so many are what the head has."""
    if threshold is None:
        return
    if kind in ("classes", "embedding"):
        answer = "largest is the answer" if kind == "classes" else "angles are"
        raise ModelError(
            f"the .json beside {model.source} has a threshold, and the model {model.count} outputs, whose "
            f"{answer}: take it out"
        )
    count = len(threshold) if isinstance(threshold, tuple) else 1
    if isinstance(threshold, tuple) and (kind == "binary" or count != model.count):
        raise ModelError(
            f"the .json beside {model.source} has {count} thresholds, and the model {model.count} outputs: "
            "give one number for all, or a list with one for each"
        )


def _check_limits(limits: tuple[float, ...], output: Output, source: str) -> None:
    if output != "probabilities":
        return
    for limit in limits:
        if not 0 < limit < 1:
            raise ModelError(
                f"the .json beside {source} has the threshold {limit:g}, and the model gives a probability: "
                "it is to be above 0 and below 1"
            )


def _within_one(model: _Model) -> bool:
    random = np.random.default_rng(0)
    for scale in SCALES:
        images = random.random((2, *model.shape), np.float32) * np.float32(scale)
        given = model.network(keras.ops.convert_to_tensor(images))
        scores = np.asarray(keras.ops.convert_to_numpy(given))
        if not ((scores >= 0).all() and (scores <= 1).all()):
            return False
    return True
