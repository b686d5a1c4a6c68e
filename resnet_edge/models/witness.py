"""Runs in a worker. A reader of ours, held against a loader that is not ours.

Everything is proved against the model that a reader of ours made of a file. Where that reader is
wrong, every proof is of the wrong model, and no proof can see it. So the same file is read by its
own framework as well, and both give their answers for a few of the images.

What may differ is what float32 rounds, and that is measured on these images, not set: each layer
adds up K products, whose rounding grows like sqrt(K) * u with u half a unit in the last place
(Higham and Mary, SIAM J. Sci. Comput. 41 (2019) A2815, the probabilistic bound). Every layer's output is
moved by as much, up or down at random, and the network runs on: how far its answers move is what
rounding can do to this network (random rounding, after Parker's Monte Carlo arithmetic, 1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from resnet_edge.core.answers import SIGMOID, log_odds, logits, sigmoid
from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.core.head import Head
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.models import ModelRequest, OpenedModel, Original, kind_module
from resnet_edge.models._file_budget import IMAGES as IMAGES  # as many as its memory is counted for
from resnet_edge.models._layer_outputs import Array, as_array, innermost, layer_outputs, replaced_outputs

READERS = 2
"""Each of the two rounds in its own order."""

LAMBDA = 6.0
"""Of the probabilistic bound: one sum in 33 million, 2 exp(-LAMBDA ** 2 / 2), is off by more."""

SAMPLES = 2
"""Random roundings that are tried. One alone may cancel out by luck."""

TINY = 1e-30
"""The smallest probability whose logarithm is compared: below it float32 loses digits."""

FLOAT32 = 2.0**-24
UNIT = {"bfloat16": 2.0**-8, "float16": 2.0**-11}
"""Half a unit in the last place. What a layer reads and gives is rounded to the short types once: its sums
are of float32."""


class NoWitness(Exception):
    """There is no second loader for this file; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Witness:
    """The same file, read by `loader` (its name and version).

    `network` maps what the model takes, (B, H, W, C) float32, to (B, classes); `rounding` is what
    rounding in one layer may change, as a part of the largest value (`sum_rounding`). `trackable` is a
    model of Keras 3 or tf_keras, whose layers can be watched; None where it has no layers: then
    `differing` names the first variable whose values are not those of our model ("": all are the same).
    `unit` is that of the shortest type that it computes in beside its layers.
    """

    loader: str
    network: Callable[[Any], Any]
    rounding: float
    trackable: Any = None
    differing: Callable[[OpenedModel], str] = lambda _: ""
    unit: float = FLOAT32


def check_reader(opened: OpenedModel, request: ModelRequest, images: Array) -> ReaderCheck:
    """Hold `opened`, which a reader made of `request`, against another loader of the same file.

    `images` (B, H, W, C) are what the model takes. Raises ModelError, which names the first layer that
    gives other values, where the outputs differ by more than rounding.
    """
    open_witness = getattr(kind_module(request), "witness", None)
    try:
        if open_witness is not None:
            witness: Witness = open_witness(request)
        elif opened.original is not None:
            witness = _original(opened.original)
        else:
            return ReaderCheck()
    except NoWitness as reason:
        return ReaderCheck(missing=str(reason))
    with full_float32():
        return _compared(opened, witness, request, images)


def _original(original: Original) -> Witness:
    """The model that ours was rebuilt of."""
    return Witness(
        loader=f"its own class {type(original.model).__name__}",
        network=original.network,
        rounding=sum_rounding(original.model.weights),
        trackable=original.model,
        unit=original.unit,
    )


def _compared(opened: OpenedModel, witness: Witness, request: ModelRequest, images: Array) -> ReaderCheck:
    head = opened.facts.head
    ours = _scores(opened.network(images), head)
    theirs = _scores(_run(witness, images, request.source), head)
    difference = distance(ours, theirs)
    allowed = READERS * witness.rounding
    if difference > allowed and witness.trackable is not None:
        allowed = max(allowed, READERS * rounding(opened, witness, images))
    if not difference <= allowed:
        raise ModelError(
            f"{request.source} is read wrongly: {witness.loader} gives other answers for the same images (by "
            f"{difference:.1e} of the largest, where rounding explains {allowed:.1e}), and "
            f"{_where(opened, witness, images, allowed)}: report it, and give package.module:factory that "
            "builds the model"
        )
    return ReaderCheck(loader=witness.loader, images=len(images), difference=difference, allowed=allowed)


def _run(witness: Witness, images: Array, source: str) -> Any:
    try:
        return witness.network(images)
    except Exception as error:  # whatever the other framework raises
        raise ModelError(
            f"{source} runs as it is read here, and not as {witness.loader} reads it ({first_line(error)})"
        ) from error


def _scores(outputs: Any, head: Head) -> Array:
    """Outputs as logits: a saturated softmax or sigmoid hides what is wrong before it."""
    values = as_array(outputs)
    if head.separate:
        return logits(head, values).astype(np.float32)
    return np.log(np.maximum(values, TINY)) if head.output == "probabilities" else values


def distance(ours: Array, theirs: Array) -> float:
    """The largest difference as a part of the largest value; infinite where one is not finite or of another
    shape."""
    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return math.inf
    largest = max(float(np.abs(ours).max()), float(np.abs(theirs).max()))
    return float(np.abs(ours - theirs).max()) / largest if largest else 0.0


def rounding(opened: OpenedModel, witness: Witness, images: Array) -> float:
    """How far rounding in every layer moves the outputs, as a part of their largest value."""
    head = opened.facts.head
    expected = _scores(opened.network(images), head)
    models = (opened.trackable, witness.trackable)
    # the coarser of the two where one computes in float16: that is how its file wants it
    unit = max((_unit(layer) for model in models for layer in innermost(model)), default=FLOAT32)
    unit = max(unit, witness.unit)
    draw = np.random.default_rng(0)
    largest = 0.0
    for _ in range(SAMPLES):
        with replaced_outputs(opened.trackable, lambda layer, output: _rounded(layer, output, unit, draw)):
            largest = max(largest, distance(expected, _scores(opened.network(images), head)))
    return largest


def _rounded(layer: Any, output: Any, unit: float, draw: np.random.Generator) -> Any:
    """What `layer` gave, moved by what rounds in a sum of so many products."""
    if not hasattr(output, "shape") or "float" not in str(output.dtype):
        return output
    values = as_array(output)
    size = LAMBDA * (FLOAT32 * math.sqrt(_products(layer.weights)) + unit)
    step = size * draw.choice([-1.0, 1.0], values.shape)
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if activation == "sigmoid":  # near 1, float32 holds less of the sum than the sum is exact to
        sums = log_odds(np.clip(values.astype(np.float64), SIGMOID, 1 - SIGMOID))
        moved = sigmoid(sums + step * np.abs(sums).max()) + SIGMOID * np.sign(step)
    elif type(layer).__name__ == "Softmax" or activation == "softmax":  # the sum stands in the exponent
        moved = values * np.exp(step * np.abs(np.log(np.maximum(values, TINY))).max())
    else:
        moved = values + step * np.abs(values).max()
    return _like(output, moved)


def _like(output: Any, values: Any) -> Any:
    import keras

    return keras.ops.convert_to_tensor(values, dtype=output.dtype)


def _unit(layer: Any) -> float:
    return UNIT.get(str(getattr(layer, "compute_dtype", "float32")), FLOAT32)


def sum_rounding(weights: Any) -> float:
    """What rounding does to the longest sum of products that `weights` make."""
    return LAMBDA * FLOAT32 * math.sqrt(_products(weights))


def _products(weights: Any) -> int:
    """The longest sum of products that arrays of weights make: all axes but the last, that of outputs."""
    return max((math.prod(map(int, w.shape[:-1])) for w in weights if len(w.shape) >= 2), default=1)


def _where(opened: OpenedModel, witness: Witness, images: Array, allowed: float) -> str:
    """The first layer, or else the first variable, that is not the same."""
    if witness.trackable is None:
        name = witness.differing(opened)
        return f"the first variable that differs is {name}" if name else "all of its variables are the same"
    ours = layer_outputs(opened.trackable, lambda: opened.network(images))
    theirs = layer_outputs(witness.trackable, lambda: witness.network(images))
    for key, output in ours.items():
        other = theirs.get(key)
        kind = Head.of_classes(output.shape[-1], "probabilities" if _sums_to_one(output) else "logits")
        same = other is None or other.shape != output.shape
        if not same and not distance(_scores(output, kind), _scores(other, kind)) <= allowed:
            return f"the first layer whose outputs differ is {key[0]}"
    return "no layer differs by as much"


def _sums_to_one(values: Array) -> bool:
    return bool((values >= 0).all() and np.allclose(values.sum(axis=-1), 1, atol=1e-2))


@contextmanager
def full_float32() -> Iterator[None]:
    """Without TF32, whose 10 bits a GPU may round differently in two runs of one convolution."""
    import tensorflow as tf

    allowed = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)
