"""Runs in a worker. A Keras model as one flat list of calls, and a model made from such a list.

Nested models are walked into, so that whoever prunes, quantizes or rebuilds a network sees one
graph, whatever way it was put together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras import tree

from resnet_edge.core.errors import ModelError
from resnet_edge.models._graph import functional_view
from resnet_edge.models._state import finalize_state


@dataclass(frozen=True)
class FlatTensor:
    """A tensor of a `FlatGraph`, by its number."""

    number: int


@dataclass(frozen=True, kw_only=True)
class Call:
    """One operation (mostly a keras.Layer) on its inputs.

    `name` is unique in the graph; that of a layer inside nested models has their names before
    it, joined by `_`. `args` and `kwargs` are those of the original call, with a `FlatTensor` for
    each symbolic tensor. Two calls of a shared layer have the same `operation`. `shape` is that
    of the output, (batch, ...); only the batch is None where the graph's input has a size.
    """

    name: str
    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: FlatTensor
    shape: tuple[int | None, ...]

    @property
    def inputs(self) -> tuple[FlatTensor, ...]:
        """The tensors that it reads, in order."""
        return tuple(_tensors((self.args, self.kwargs)))

    @property
    def kind(self) -> str:
        """The name of the operation's class."""
        return type(self.operation).__name__


@dataclass(frozen=True, kw_only=True)
class FlatGraph:
    """The calls of a model in an order in which they can run; `shape` (H, W, C) of its input."""

    name: str
    shape: tuple[int, ...]
    input: FlatTensor
    output: FlatTensor
    calls: tuple[Call, ...]

    def producer(self, tensor: FlatTensor) -> Call | None:
        """The call that gives `tensor`; None for the input."""
        return next((call for call in self.calls if call.output == tensor), None)

    def consumers(self, tensor: FlatTensor) -> tuple[Call, ...]:
        """The calls that read `tensor`."""
        return tuple(call for call in self.calls if tensor in call.inputs)


def flat_graph(model: keras.Model, shape: tuple[int, int, int]) -> FlatGraph:
    """The calls of `model`, whose input is (batch, *shape).

    Raises ModelError where its graph is not known (a subclassed model whose `call` is more
    than a chain of layers), or has several inputs or outputs.
    """
    view = functional_view(model, shape)
    if view is None:
        raise ModelError(
            f"the graph of {model.name} is not known (its class {type(model).__name__} computes in a way of "
            "its own): give package.module:factory that builds it with keras.Model(inputs, outputs)"
        )
    walk = _Walk()
    start = walk.new((None, *shape), "float32")
    end = walk.enter(view, [start], prefix="")
    return FlatGraph(name=model.name, shape=tuple(shape), input=start, output=end, calls=tuple(walk.calls))


def rebuild(
    graph: FlatGraph,
    make: Callable[[Call], Any],
    *,
    name: str | None = None,
    framework: Any = keras,
) -> Any:
    """A functional model of `framework` (keras or tf_keras) with the calls of `graph`.

    `make` gives the layer (or any callable) for a call; it is asked once for a shared layer.
    A layer that it makes should bear `call.name`. No weight is copied.
    """
    image = framework.Input(graph.shape, name="image")
    tensors = {graph.input: image}
    made: dict[int, Any] = {}
    for call in graph.calls:
        layer = made.get(id(call.operation))
        if layer is None:
            layer = made[id(call.operation)] = make(call)
        args, kwargs = filled(call, tensors)
        tensors[call.output] = layer(*args, **kwargs)
    return framework.Model(image, tensors[graph.output], name=name or graph.name)


def filled(call: Call, tensors: dict[FlatTensor, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of `call` with the values of `tensors` in place."""

    def value(leaf: Any) -> Any:
        return tensors[leaf] if isinstance(leaf, FlatTensor) else leaf

    args, kwargs = tree.map_structure(value, (call.args, call.kwargs))
    return args, kwargs


def copied(call: Call, **changes: Any) -> Any:
    """A fresh keras.Layer like that of `call`, named as the call, with `changes` to its config;
    an operation without weights (`x / 255`) is returned as it is."""
    if not isinstance(call.operation, keras.Layer):
        return call.operation
    config = {**call.operation.get_config(), "name": call.name, **changes}
    return type(call.operation).from_config(config)


def copy_weights(graph: FlatGraph, model: Any) -> None:
    """Copy the weights of the layers of `graph` to those of the same name in `model`.

    Raises ModelError where a name or a shape is not the same.
    """
    seen: set[int] = set()
    for call in graph.calls:
        if id(call.operation) in seen or not getattr(call.operation, "weights", ()):
            continue
        seen.add(id(call.operation))
        values = call.operation.get_weights()
        layer = model.get_layer(call.name)
        if [tuple(w.shape) for w in layer.weights] != [v.shape for v in values]:
            raise ModelError(f"the layer {call.name} has other weights after the rebuild; nothing was copied")
        layer.set_weights(values)
    finalize_state(model)


def return_weights(model: Any, graph: FlatGraph) -> None:
    """The reverse of `copy_weights`: the layers of `graph`, whose model is the user's, get the
    weights that the layers of the same name have in `model`."""
    for call in graph.calls:
        if getattr(call.operation, "weights", ()) and (layer := _layer(model, call.name)) is not None:
            call.operation.set_weights(layer.get_weights())
            finalize_state(call.operation)


def _layer(model: Any, name: str) -> Any | None:
    return next((layer for layer in model.layers if layer.name == name), None)


class _Walk:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._specs: dict[FlatTensor, keras.KerasTensor] = {}
        self._names: dict[str, int] = {}

    def new(self, shape: tuple[int | None, ...], dtype: str) -> FlatTensor:
        tensor = FlatTensor(len(self._specs))
        self._specs[tensor] = keras.KerasTensor(shape, dtype)
        return tensor

    def enter(self, model: keras.Model, inputs: list[FlatTensor], prefix: str) -> FlatTensor:
        """Walk `model`, called on `inputs`; gives its output."""
        graph: Any = getattr(model, "_functional", model)  # a Sequential keeps its graph there
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise ModelError(
                f"{model.name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
                "an image classifier has one each"
            )
        known = {id(graph.inputs[0]): inputs[0]}
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if not node.is_input:
                    self._visit(node, known, prefix)
        return known[id(graph.outputs[0])]

    def _visit(self, node: Any, known: dict[int, FlatTensor], prefix: str) -> None:
        operation = node.operation
        name = f"{prefix}{operation.name}"
        if len(node.outputs) != 1:
            raise ModelError(
                f"the layer {name} has {len(node.outputs)} outputs; only single outputs are handled"
            )
        if isinstance(operation, keras.Model):
            inside = [known[id(tensor)] for tensor in node.input_tensors]
            known[id(node.outputs[0])] = self.enter(operation, inside, f"{name}_")
            return

        def numbered(leaf: Any) -> Any:
            return known[id(leaf)] if isinstance(leaf, keras.KerasTensor) else leaf

        args, kwargs = tree.map_structure(numbered, (node.arguments.args, node.arguments.kwargs))
        spec = self._sized(operation, args, kwargs, node.outputs[0])
        shape = tuple(spec.shape)
        output = known[id(node.outputs[0])] = self.new(shape, spec.dtype)
        self.calls.append(
            Call(
                name=self._unique(name, operation),
                operation=operation,
                args=args,
                kwargs=kwargs,
                output=output,
                shape=shape,
            )
        )

    def _sized(self, operation: Any, args: Any, kwargs: Any, declared: Any) -> Any:
        """The shape and dtype of an output; found anew where a part of the model was made for
        images of any size, as `ResNet50(include_top=False)`."""
        if None not in declared.shape[1:]:
            return declared

        def spec(leaf: Any) -> Any:
            return self._specs[leaf] if isinstance(leaf, FlatTensor) else leaf

        args, kwargs = tree.map_structure(spec, (args, kwargs))
        return operation.compute_output_spec(*args, **kwargs)

    def _unique(self, name: str, operation: Any) -> str:
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        return name if count == 0 else f"{name}_call{count + 1}"


def _tensors(value: Any) -> Iterator[FlatTensor]:
    yield from (leaf for leaf in tree.flatten(value) if isinstance(leaf, FlatTensor))
