"""Runs in a worker. The same network, with the same weights, for images of another size.

Every layer is made again from its config and called on what the one before it gives at the new size. What is
in the way shows by that: a layer that needs other weights, one that does not take what it gets, one that
lines numbers up in rows of a constant length, and one that takes a constant part of a picture, which was
all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any, NoReturn

import keras
import numpy as np

from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models._state import finalize_state
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor, copied, filled
from resnet_edge.models.functional.layer_runs import ends_read

Shape = tuple[int, ...]
"""Of one image, without the batch."""


def resized(graph: FlatGraph, height: int, width: int) -> keras.Model:
    """A functional model that computes on (B, height, width, C) what the layers of `graph` compute, with
    their weights and names. Raises ModelError, which names the layer that is in the way."""
    return _Resizing(graph, (height, width, graph.shape[2])).model()


class _Resizing:
    def __init__(self, graph: FlatGraph, shape: Shape) -> None:
        self._graph, self._shape = graph, shape
        self._image = keras.Input(shape, name="image")
        self._tensors: dict[FlatTensor, Any] = {graph.input: self._image}
        self._own: dict[FlatTensor, Shape] = {graph.input: tuple(graph.shape)}
        self._layers: dict[int, Any] = {}
        self._fixed: Call | None = None
        self._reached = False

    def model(self) -> keras.Model:
        graph = self._graph
        for call in graph.calls:
            self._call(call)
        if tuple(graph.shape) != self._shape and not self._reached:
            self._refuse_meaningless()
        own, new = self._own[graph.output], _shape(self._tensors[graph.output])
        if own != new:
            last = graph.producer(graph.output)
            assert last is not None  # a network that is its own input has the same shape
            self._refuse(last, f"would give {_spelled(new)} numbers, and gives {_spelled(own)}")
        model = keras.Model(self._image, self._tensors[graph.output], name=graph.name)
        finalize_state(model)
        return model

    def _call(self, call: Call) -> None:
        args, kwargs = filled(call, self._tensors)
        layer = self._layer(call)
        try:
            output = layer(*args, **kwargs)
        except Exception as error:  # layers raise whatever their own checks and the framework raise
            self._refuse(call, f"does not take what it gets ({first_line(error)})", error)
        self._tensors[call.output], own = output, _sizes(call.shape)
        self._own[call.output] = own
        new = _shape(output)
        if 0 in new or min(new, default=1) < 0:
            self._refuse(call, "would have no pixel left")
        self._copy_weights(call, layer)
        self._check_rows(call, own, new)
        self._check_ends(call, own, new)
        self._note(call, own, new)

    def _layer(self, call: Call) -> Any:
        key = id(call.operation)
        if key not in self._layers:
            self._layers[key] = copied(call)
        return self._layers[key]

    def _copy_weights(self, call: Call, layer: Any) -> None:
        if not [*getattr(call.operation, "weights", [])]:
            return
        values = call.operation.get_weights()
        have, need = [value.shape for value in values], [tuple(weight.shape) for weight in layer.weights]
        for own, new in zip(have, need, strict=False):
            if own != new:
                self._refuse(call, f"has weights of {_spelled(own)}, and would need {_spelled(new)}")
        if len(have) != len(need):
            self._refuse(call, f"has {len(have)} arrays of weights, and would need {len(need)}")
        layer.set_weights(values)

    def _check_rows(self, call: Call, own: Shape, new: Shape) -> None:
        """What puts the same numbers, in their order, into another shape must cut them where it did."""
        if len(call.inputs) != 1 or [*getattr(call.operation, "weights", [])]:
            return
        before, now = self._own[call.inputs[0]], _shape(self._tensors[call.inputs[0]])
        if before == own or prod(before) != prod(own) or prod(now) != prod(new):
            return
        if _cuts(before, own) != _cuts(now, new) and _keeps_order(call, before):
            self._refuse(call, f"makes {_spelled(own)} of an image, and would make {_spelled(new)}")

    def _check_ends(self, call: Call, own: Shape, new: Shape) -> None:
        """What gives as many numbers of any picture must not leave out what it did not: a pool over so many
        pixels, or a part cut out, that was the whole picture."""
        if len(call.inputs) != 1 or own != new or "float" not in self._tensors[call.inputs[0]].dtype:
            return
        before, now = self._own[call.inputs[0]], _shape(self._tensors[call.inputs[0]])
        axes = [axis for axis, sizes in enumerate(zip(before, now, strict=True)) if len(set(sizes)) > 1]
        try:
            left_out = ends_read(call, before, axes) - ends_read(call, now, axes)
        except Exception as error:  # as above, where a symbolic batch let it pass
            self._refuse(call, f"does not take what it gets ({first_line(error)})", error)
        if left_out:
            whole, more = _spelled(before), _spelled(now)
            self._refuse(call, f"takes all of {whole} at its own size, and would leave out some of {more}")

    def _note(self, call: Call, own: Shape, new: Shape) -> None:
        """Whether a kernel has got more or fewer pixels by now, and what keeps them from it."""
        if not call.inputs:
            return
        changed = any(self._own[tensor] != _shape(self._tensors[tensor]) for tensor in call.inputs)
        if changed and own == new and self._fixed is None:
            self._fixed = call
        kernels = [weight for weight in [*getattr(call.operation, "weights", [])] if len(weight.shape) > 1]
        self._reached |= changed and bool(kernels)

    def _refuse_meaningless(self) -> NoReturn:
        if self._fixed is None:
            raise ModelError(f"{self._where()}: no layer of it would compute on another number of pixels")
        own = _spelled(_sizes(self._fixed.shape))
        self._refuse(self._fixed, f"gives {own} of an image of any size, and all that follows stays as it is")

    def _refuse(self, call: Call, what: str, error: Exception | None = None) -> NoReturn:
        behind = self._lines_up(call)
        where = "" if behind is None else f", behind {behind.name} ({behind.kind}),"
        text = f"{self._where()}: the layer {call.name} ({call.kind}){where} {what}"
        raise ModelError(f"{text}: leave this size out, or pool over all pixels before it") from error

    def _where(self) -> str:
        height, width, _ = self._shape
        return f"{self._graph.name} cannot be rebuilt for images of {height} x {width}"

    def _lines_up(self, call: Call) -> Call | None:
        """The nearest call before it that makes a row of numbers of a picture, without pooling them."""
        while call.inputs and (before := self._graph.producer(call.inputs[0])) is not None:
            if len(before.inputs) == 1 and len(self._own[before.inputs[0]]) > len(_sizes(before.shape)):
                lined_up = prod(self._own[before.inputs[0]]) == prod(_sizes(before.shape))
                return before if lined_up else None
            call = before
        return None


def _cuts(before: Shape, after: Shape) -> frozenset[tuple[int, int]]:
    """Where the axes of both begin together, as numbers of axes before."""
    ours, theirs = (list(accumulate(shape, mul, initial=1)) for shape in (before, after))
    return frozenset((i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if a == b)


def _keeps_order(call: Call, before: Shape) -> bool:
    """Whether it hands numbers on as they come, as Reshape does and Permute does not."""
    numbers = np.arange(prod(before), dtype=np.float32)
    given = keras.ops.convert_to_tensor(numbers.reshape(1, *before))
    args, kwargs = filled(call, {call.inputs[0]: given})
    return bool(
        np.array_equal(np.ravel(keras.ops.convert_to_numpy(call.operation(*args, **kwargs))), numbers)
    )


def _shape(tensor: Any) -> Shape:
    return tuple(tensor.shape[1:])


def _sizes(shape: Sequence[int | None]) -> Shape:
    """Of a graph whose input has a size, where only the batch is open."""
    return tuple(shape[1:])  # type: ignore[arg-type]  # as Call says


def _spelled(shape: Shape) -> str:
    return " x ".join(map(str, shape))
