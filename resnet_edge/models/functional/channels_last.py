"""Runs in a worker. A network whose channels come first, as one whose channels come last.

Mobile runtimes take (N, H, W, C) alone. Kernels are the same in both orders; what changes are the axes of
normalizations and concatenations, and the order in which a Flatten lines numbers up: the rows of the dense
layer behind it are put in that order. Where a layer has no equal in the other order, the tensor is transposed
for it and back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, tree
from numpy.typing import NDArray

from resnet_edge.models._state import finalize_state
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor, copied

TO_LAST, TO_FIRST = (2, 3, 1), (3, 1, 2)
"""Of a Permute: from (C, H, W) to (H, W, C), and back."""

_AXIS = {0: 0, 1: 3, 2: 1, 3: 2}
"""Where an axis of (N, C, H, W) stands in (N, H, W, C)."""

CHANNELS = (1, 3, 4)
"""Of an image, with and without colours and transparency."""

_SPATIAL = frozenset(
    {
        *("Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "UpSampling2D"),
        *("MaxPooling2D", "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D"),
        *("ZeroPadding2D", "Cropping2D", "SpatialDropout2D"),
    }
)
"""Classes of layers that say where their channels stand, of Keras 3 and of tf_keras."""

_TURNING = frozenset({"Permute", "Transpose", "Reshape"})
"""What changes the order of axes."""

_NUMBER_BY_NUMBER = (
    layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Dropout, layers.GaussianDropout, layers.GaussianNoise,
    layers.Identity,
)  # fmt: skip
_JOINING = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
_ALONG_AN_AXIS = (
    layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.Normalization,
    layers.Softmax,
)  # fmt: skip

Values = list[NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A tensor of the new network for one of the old. `last`: it is (N, H, W, C) for (N, C, H, W). `order`:
    its numbers are those of the old one in this order."""

    tensor: KerasTensor
    last: bool = False
    order: NDArray[np.int64] | None = None


def has_channels_first(graph: FlatGraph) -> bool:
    """Whether a layer of it takes (N, C, H, W)."""
    return any(is_first(call.operation) for call in graph.calls)


def takes_channels_first(model: Any) -> bool:
    """Whether images enter `model` as (N, C, H, W): the first layer that says where channels stand has them
    first. Of a model of a user's class, whose order of calls is not known, any layer says it, unless it was
    built for images (N, H, W, C): then it turns them itself."""
    if getattr(model, "inputs", None) is None:
        return not _was_built_last(model) and any(map(is_first, model._flatten_layers()))
    stack = [model]
    while stack:
        item = stack.pop(0)
        if _is_spatial(item):
            return is_first(item)
        if type(item).__name__ in _TURNING:
            return False
        inner = getattr(item, "_functional", None) or item  # a Sequential of Keras 3 keeps its graph there
        inside: Any = getattr(inner, "operations", None) or getattr(item, "layers", ())
        stack[:0] = list(inside)
    return False


def _was_built_last(model: Any) -> bool:
    """Whether a model of a user's class was called on images of which only the last axis counts channels."""
    shape = (model.get_build_config() or {}).get("input_shape") if getattr(model, "built", False) else None
    return bool(shape and len(shape) == 4 and shape[3] in CHANNELS and shape[1] not in CHANNELS)


def with_channels_last(graph: FlatGraph) -> keras.Model:
    """A functional model, float32, that takes (H, W, C) and computes what `graph` computes of (C, H, W), with
    the same names of layers. Where images enter as (H, W, C) already, they still do."""
    return _Rebuild(graph).model()


def is_first(layer: Any) -> bool:
    """Whether it is a layer that takes (N, C, H, W)."""
    spatial = _is_spatial(layer) or isinstance(layer, layers.Flatten)
    return bool(spatial and layer.data_format == "channels_first")


def _is_spatial(layer: Any) -> bool:
    return any(
        kind.__name__ in _SPATIAL and kind.__module__.startswith(("keras.", "tf_keras."))
        for kind in type(layer).__mro__
    )


class _Rebuild:
    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._held: dict[FlatTensor, _Held] = {}
        self._layers: dict[Any, tuple[Any, Any, Callable[[Values], Values] | None]] = {}
        self._calls = Counter(id(call.operation) for call in graph.calls)
        self._readers: defaultdict[FlatTensor, list[Call]] = defaultdict(list)
        for call in graph.calls:
            for tensor in set(call.inputs):
                self._readers[tensor].append(call)

    def model(self) -> keras.Model:
        graph = self._graph
        first = self._enters_first()
        channels, height, width = graph.shape
        image = keras.Input((height, width, channels) if first else graph.shape, name="image")
        self._held[graph.input] = _Held(tensor=image, last=first)
        for call in graph.calls:
            self._held[call.output] = self._call(call)
        output = self._as_before(self._held[graph.output], "output")
        model = keras.Model(image, output, name=graph.name)
        for operation, layer, moved in self._layers.values():
            if getattr(operation, "weights", ()):
                values = operation.get_weights()
                layer.set_weights(moved(values) if moved else values)
        finalize_state(model)
        return model

    def _enters_first(self) -> bool:
        """Whether the first layer behind the image that says where channels stand has them first."""
        reached = {self._graph.input}
        for call in self._graph.calls:
            if reached.isdisjoint(call.inputs):
                continue
            if _is_spatial(call.operation) or call.kind in _TURNING:
                return is_first(call.operation)
            reached.add(call.output)
        return False

    def _call(self, call: Call) -> _Held:
        operation = call.operation
        inputs = [self._held[tensor] for tensor in call.inputs]
        if isinstance(operation, layers.Flatten):
            return self._flattened(call, inputs[0])
        if _is_spatial(operation) and is_first(operation):
            return self._spatial(call, inputs)
        if isinstance(operation, layers.Permute) and (held := _turned(operation, inputs[0])) is not None:
            return held
        if isinstance(operation, layers.Reshape) and _is_picture_of_one(call):
            return self._picture_of_one(call, inputs[0])
        if inputs and inputs[0].order is not None:
            return self._ordered(call, inputs[0])
        if any(held.last for held in inputs) and _knows_both_orders(call):
            return self._in_the_other_order(call, inputs)
        return self._unchanged(call, inputs)

    def _spatial(self, call: Call, inputs: list[_Held]) -> _Held:
        layer = self._layer(call, data_format="channels_last")
        output = layer(self._as_last(inputs[0], call.name))
        return _Held(tensor=output, last=len(output.shape) == 4)

    def _flattened(self, call: Call, held: _Held) -> _Held:
        layer = self._layer(call, data_format="channels_last")
        if is_first(call.operation):  # it puts channels last itself
            return _Held(
                tensor=layer(self._as_last(held, call.name) if len(held.tensor.shape) == 4 else held.tensor)
            )
        if not held.last or not self._takes_any_order(call.output):
            return _Held(tensor=layer(self._as_before(held, call.name)))
        height, width, channels = (int(size or 1) for size in held.tensor.shape[1:])
        numbers = np.arange(channels * height * width).reshape(channels, height, width)
        return _Held(tensor=layer(held.tensor), order=numbers.transpose(1, 2, 0).reshape(-1))

    def _takes_any_order(self, tensor: FlatTensor) -> bool:
        """Whether all that reads it can have its weights put in another order."""
        open_ends = [tensor]
        while open_ends:
            end = open_ends.pop()
            if end == self._graph.output:
                return False
            for call in self._readers[end]:
                alone = self._calls[id(call.operation)] == 1
                if isinstance(call.operation, layers.Dense) and alone:
                    continue
                follows = isinstance(call.operation, layers.BatchNormalization) and alone
                if not follows and not _is_number_by_number(call):
                    return False
                open_ends.append(call.output)
        return True

    def _ordered(self, call: Call, held: _Held) -> _Held:
        order = held.order
        assert order is not None
        moved = (
            (lambda values: [values[0][order], *values[1:]])
            if isinstance(call.operation, layers.Dense)
            else None
        )
        if isinstance(call.operation, layers.BatchNormalization):
            moved = lambda values: [value[order] for value in values]  # noqa: E731 - beside its sibling
        output = self._layer(call, moved)(held.tensor)
        return _Held(tensor=output, order=None if isinstance(call.operation, layers.Dense) else order)

    def _picture_of_one(self, call: Call, held: _Held) -> _Held:
        """(N, C) as a picture of one pixel, as squeeze and excitation has it."""
        layer = self._layer(call, target_shape=(1, 1, call.shape[1]))
        return _Held(tensor=layer(held.tensor), last=True)

    def _in_the_other_order(self, call: Call, inputs: list[_Held]) -> _Held:
        changes: dict[str, Any] = {}
        axis = getattr(call.operation, "axis", None)
        if isinstance(call.operation, (*_ALONG_AN_AXIS, layers.Concatenate)) and axis is not None:
            changes["axis"] = _AXIS[_axis_of(axis) % 4]
        moved = None
        if isinstance(call.operation, layers.PReLU):
            changes["shared_axes"] = tuple(_AXIS[shared] for shared in call.operation.shared_axes or ())
            moved = _slopes_last
        tensors = [self._as_last(held, call.name) for held in inputs]
        layer = self._layer(call, moved, **changes)
        joins = isinstance(call.operation, (*_JOINING, layers.Concatenate))
        return _Held(tensor=layer(tensors if joins else tensors[0]), last=True)

    def _unchanged(self, call: Call, inputs: list[_Held]) -> _Held:
        plain = dict(zip(call.inputs, inputs, strict=True))

        def value(leaf: Any) -> Any:
            return self._as_before(plain[leaf], call.name) if isinstance(leaf, FlatTensor) else leaf

        args, kwargs = tree.map_structure(value, (call.args, call.kwargs))
        return _Held(tensor=self._layer(call)(*args, **kwargs))

    def _layer(self, call: Call, moved: Callable[[Values], Values] | None = None, **changes: Any) -> Any:
        """The layer for a call; a shared one is made once for all of its calls that want the same of it."""
        key = (id(call.operation), tuple(sorted(changes.items())), moved is None)
        if key not in self._layers:
            again = sum(1 for known in self._layers if known[0] == key[0])
            named = replace(call, name=f"{call.name}_order{again + 1}") if again else call
            self._layers[key] = (call.operation, copied(named, dtype="float32", **changes), moved)
        return self._layers[key][1]

    def _as_last(self, held: _Held, name: str) -> KerasTensor:
        if held.last or len(held.tensor.shape) != 4:
            return held.tensor
        return self._permuted(held, TO_LAST, f"{name}_channels_last")

    def _as_before(self, held: _Held, name: str) -> KerasTensor:
        return self._permuted(held, TO_FIRST, f"{name}_channels_first") if held.last else held.tensor

    def _permuted(self, held: _Held, dims: tuple[int, int, int], name: str) -> KerasTensor:
        key = ("permute", id(held.tensor), dims)
        if key not in self._layers:
            layer = layers.Permute(dims, name=f"{name}_{len(self._layers)}")
            self._layers[key] = (None, layer(held.tensor), None)
        permuted: KerasTensor = self._layers[key][1]
        return permuted


def _slopes_last(values: Values) -> Values:
    """Of a PReLU: one for each number of (C, H, W), or one for several."""
    return [values[0].transpose(1, 2, 0)]


def _turned(operation: Any, held: _Held) -> _Held | None:
    """What a Permute between the two orders gives: the same tensor, called otherwise."""
    if held.last and operation.dims == TO_LAST:
        return replace(held, last=False)
    if not held.last and operation.dims == TO_FIRST:
        return replace(held, last=True)
    return None


def _is_picture_of_one(call: Call) -> bool:
    shape = call.shape
    return len(shape) == 4 and shape[2:] == (1, 1) and call.operation.target_shape[-2:] == (1, 1)


def _axis_of(axis: Any) -> int:
    return int(axis[0] if isinstance(axis, list | tuple) else axis)


def _is_number_by_number(call: Call) -> bool:
    operation = call.operation
    if isinstance(operation, layers.Activation):
        return getattr(operation.activation, "__name__", "softmax") not in (
            "softmax",
            "log_softmax",
            "sparsemax",
            "glu",
        )
    if isinstance(operation, layers.Rescaling):
        return not np.ndim(operation.scale) and not np.ndim(operation.offset)
    return isinstance(operation, _NUMBER_BY_NUMBER)


def _knows_both_orders(call: Call) -> bool:
    operation = call.operation
    if len(call.shape) != 4:
        return False
    if isinstance(operation, _ALONG_AN_AXIS):
        axis = operation.axis
        return not isinstance(axis, list | tuple) or len(axis) == 1
    return isinstance(operation, (*_JOINING, layers.Concatenate, layers.PReLU)) or _is_number_by_number(call)
