"""Where an int8 graph rounds, told from the layers of a network.

The converter folds a batch normalization into the convolution or dense layer before it, and a ReLU
into what it follows, where nothing else reads what is in between. What is left computes once and
rounds once. Fake quantization stands at the same places, or the training would learn the noise
of another graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from keras import activations

from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor

WEIGHTED = frozenset({"Conv2D", "DepthwiseConv2D", "Dense"})
JOINING = frozenset({"Add", "Multiply", "Concatenate"})
MEAN = frozenset({"GlobalAveragePooling2D", "Mean"})
MOVING = frozenset(
    {"ZeroPadding2D", "Cropping2D", "MaxPooling2D", "GlobalMaxPooling2D", "AveragePooling2D"}
    | {"Flatten", "Reshape", "Permute", "UpSampling2D"}
)
"""What leaves numbers on the grid that they are on. An average, and what a bilinear upsampling puts between,
is rounded to it in int8, and not here: LiteRT's kernel rounds halves the other way, and to round them like
this is worse than not."""
ABSENT = frozenset({"Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "Identity"})
"""What is not there in inference."""
CLAMPS = (activations.relu, activations.relu6)


@dataclass(frozen=True)
class Points:
    """The layers of a network by what int8 makes of them, each by name.

    The output of `rounded` ones is on a grid of its own; that of `softmax` and `sigmoid` ones before it.
    `alone` are the batch normalizations that are a multiplication and an addition, with a grid in between.
    """

    rounded: tuple[str, ...]
    alone: tuple[str, ...]


def points_of(graph: FlatGraph) -> Points:
    """The points of a network without its preprocessing.

    Raises ModelError that names the layer which cannot be quantized in training, and why.
    """
    reading = _Reading(graph)
    seen: set[int] = set()
    for call in graph.calls:
        _check(call, reading, shared=id(call.operation) in seen)
        seen.add(id(call.operation))
    normalizations = [call for call in graph.calls if call.kind == "BatchNormalization"]
    return Points(
        tuple(call.name for call in graph.calls if reading.rounds(call)),
        tuple(call.name for call in normalizations if not reading.folds(call)),
    )


class _Reading:
    """Who reads what, with the layers that are not there in inference left out."""

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._readers = {call.output: tuple(self._effective(call.output)) for call in graph.calls}
        self._makers = {call.output: call for call in graph.calls}

    def _effective(self, tensor: FlatTensor) -> Iterator[Call | None]:
        """The calls that read `tensor`; None for the end of the network."""
        if tensor == self._graph.output:
            yield None
        for call in self._graph.consumers(tensor):
            if _is_absent(call):
                yield from self._effective(call.output)
            else:
                yield call

    def maker(self, tensor: FlatTensor) -> Call | None:
        """The call whose numbers `tensor` holds; None for the input."""
        call = self._makers.get(tensor)
        while call is not None and _is_absent(call):
            call = self._makers.get(call.inputs[0])
        return call

    def only_reader(self, call: Call) -> Call | None:
        readers = self._readers[call.output]
        return readers[0] if len(readers) == 1 else None

    def ends(self, call: Call) -> bool:
        """Whether the network ends with it."""
        return self._readers[call.output] == (None,)

    def folds(self, call: Call) -> bool:
        """Whether it is a normalization that the converter folds into the layer before it."""
        before = self.maker(call.inputs[0])
        return (
            call.kind == "BatchNormalization"
            and before is not None
            and before.kind in WEIGHTED
            and _is_linear(before)
            and self.only_reader(before) is call
        )

    def rounds(self, call: Call) -> bool:
        """Whether its output gets a grid of its own."""
        if _is_absent(call) or call.kind in MOVING:
            return False
        if _is_squashing(call):
            return call.kind in WEIGHTED
        reader = self.only_reader(call)
        if reader is not None and reader.kind == "Concatenate":
            return False  # what it joins is on the grid of its output
        if reader is None or call.kind in MEAN or _is_clamp(call):
            return True
        if call.kind in WEIGHTED and not _is_linear(call):
            return True
        return not (self.folds(reader) or _is_clamp(reader))


def _check(call: Call, reading: _Reading, shared: bool) -> None:
    reason = "it is used more than once" if shared else _refusal(call, reading)
    if reason:
        raise ModelError(
            f"the layer {call.name} ({call.kind}) cannot be quantized in training: {reason}; "
            "convert the model without qat"
        )


def _refusal(call: Call, reading: _Reading) -> str | None:
    if call.kind == "SeparableConv2D":
        return "it is two convolutions in one, with a rounding in between; write it as two layers"
    if call.kind == "BatchNormalization":
        axis = call.operation.axis if isinstance(call.operation.axis, int) else call.operation.axis[0]
        return None if axis in (-1, len(call.shape) - 1) else "it does not normalize channels"
    if _is_squashing(call):
        return (
            None if reading.ends(call) else "a softmax, a sigmoid or a unit length is only handled at the end"
        )
    if call.kind in WEIGHTED | {"Activation"}:
        if _is_linear(call) or call.operation.activation in CLAMPS:
            return None
        known = "relu, relu6, linear, softmax, sigmoid"
        return f"its activation {_name(call.operation.activation)} is not one of {known}"
    if call.kind == "UpSampling2D" and call.operation.interpolation not in ("nearest", "bilinear"):
        return f"int8 has no {call.operation.interpolation} upsampling"
    if _is_clamp(call) or call.kind in JOINING | MEAN | MOVING | ABSENT:
        return None
    if call.kind == "ReLU":
        return "int8 kernels end in a ReLU without a limit, or with 6, and both from zero on"
    return (
        "only the layers of residual networks are: convolution, dense, batch normalization, ReLU, pooling, "
        "Add, Concatenate"
    )


def _is_linear(call: Call) -> bool:
    return getattr(call.operation, "activation", None) is activations.linear


def _is_absent(call: Call) -> bool:
    return call.kind in ABSENT or (call.kind == "Activation" and _is_linear(call))


def _is_squashing(call: Call) -> bool:
    """Whether it ends in a softmax or sigmoid, with or without weights before it, or in vectors of length
    one: what stays in float behind int8."""
    if call.kind in WEIGHTED | {"Activation"}:
        return getattr(call.operation, "activation", None) in (activations.softmax, activations.sigmoid)
    return call.kind in ("Softmax", "UnitNormalization")


def _is_clamp(call: Call) -> bool:
    """Whether it is a ReLU that int8 kernels end in."""
    operation = call.operation
    if call.kind == "Activation":
        return operation.activation in CLAMPS
    if call.kind == "ReLU":
        limits = operation.max_value, operation.negative_slope, operation.threshold
        return limits in ((None, 0, 0), (6, 0, 0))
    return call.kind in ("Relu", "Relu6")


def _name(activation: Callable[..., Any]) -> str:
    return str(getattr(activation, "__name__", activation))
