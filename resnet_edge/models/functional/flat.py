"""Runs in a worker. A Keras model as one flat list of calls, and a model made from such a list.

Nested models are walked into, so that whoever prunes, quantizes or rebuilds a network sees one
graph, whatever way it was put together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras import tree
from keras.src.utils.naming import to_snake_case

from resnet_edge.core.errors import ModelError
from resnet_edge.models._graph import has_graph
from resnet_edge.models._state import finalize_state
from resnet_edge.models.functional.standard_layers import Standards
from resnet_edge.models.functional.symbolic import NoGraph, SymbolicRun, builtin_class, symbolic_run


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


@dataclass(frozen=True, kw_only=True)
class TracedGraph:
    """The graph of a call, and the types shorter than float32 that it cast tensors to."""

    graph: FlatGraph
    halves: frozenset[str]


def flat_graph(model: keras.Model, shape: tuple[int, ...]) -> FlatGraph:
    """The calls of `model`, whose input is (batch, *shape).

    Raises ModelError where its graph is not known: a model of a user's class is functional once it was opened
    (`_functional`), unless its graph depends on more than the shape of the image. So it does for one that has
    several inputs or outputs.
    """
    if not has_graph(model):
        raise ModelError(
            f"the graph of {model.name} is not known ({_why_unknown(model, shape)}): write that line with "
            "layers of Keras, or give package.module:factory that builds it with keras.Model(inputs, outputs)"
        )
    walk = _Walk()
    start = walk.new((None, *shape), "float32")
    end = walk.enter(model, [start], prefix="")
    return walk.graph(model.name, shape, start, end)


def _why_unknown(model: keras.Model, shape: tuple[int, ...]) -> str:
    try:
        traced_graph(model, shape)
    except NoGraph as reason:
        return str(reason)
    return f"its class {type(model).__name__} gives other answers than the layers that it calls"


def traced_graph(
    model: keras.Model, shape: tuple[int, ...], chosen: Callable[[Any], Any] | None = None
) -> TracedGraph:
    """The graph of one call on a symbolic image. `chosen` picks the output of what the call gives; without it
    there must be one. Raises NoGraph, ModelError, and what `chosen` raises."""
    run = symbolic_run(model, shape)
    output = chosen(run.outputs) if chosen else _only(run.outputs, model)
    walk = _TracedWalk(model, run)
    start = walk.new((None, *shape), "float32")
    end = walk.follow(output, start)
    walk.check_weights()
    return TracedGraph(graph=walk.graph(model.name, shape, start, end), halves=frozenset(walk.halves))


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
    by_operation: dict[int, Any] = {}
    for call in graph.calls:
        layer = by_operation.get(id(call.operation))
        if layer is None:
            layer = by_operation[id(call.operation)] = make(call)
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
    kind: Any = builtin_class(call.operation) or type(call.operation)  # a user's that computes the same
    config = {**kind.get_config(call.operation), "name": call.name, **changes}
    return kind.from_config(config)


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


def _only(outputs: Any, model: keras.Model) -> Any:
    tensors = tree.flatten(outputs)
    if len(tensors) != 1:
        raise ModelError(
            f"{model.name} gives {len(tensors)} outputs: an image classifier has one; cut the model"
        )
    return tensors[0]


class _Walk:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._specs: dict[FlatTensor, keras.KerasTensor] = {}
        self._names: dict[str, int] = {}
        self._operations: list[Any] = []  # alive, so that no other gets the id of one

    def new(self, shape: tuple[int | None, ...], dtype: str) -> FlatTensor:
        tensor = FlatTensor(len(self._specs))
        self._specs[tensor] = keras.KerasTensor(shape, dtype)
        return tensor

    def graph(self, name: str, shape: tuple[int, ...], start: FlatTensor, end: FlatTensor) -> FlatGraph:
        """What was walked, from `start` to `end`."""
        return FlatGraph(name=name, shape=tuple(shape), input=start, output=end, calls=tuple(self.calls))

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


class _TracedWalk(_Walk):
    """Of what a symbolic call recorded: every node is of an operation of Keras."""

    def __init__(self, model: keras.Model, run: SymbolicRun) -> None:
        super().__init__()
        self._model, self._run, self._standards = model, run, Standards()
        self._known: dict[int, FlatTensor] = {}
        self._operation_names: dict[int, str] = {}
        self._taken: set[str] = set()
        self._alone = _standing_alone(model, run)

    def follow(self, output: keras.KerasTensor, start: FlatTensor) -> FlatTensor:
        """The calls from the image to `output`."""
        nodes = _nodes_before(output, self._run.image)
        self._name_layers(node.operation for node in nodes)
        self._known[id(self._run.image)] = start
        for node in nodes:
            self._add(node)
        if id(output) not in self._known:
            raise NoGraph("its answer does not depend on the image")
        return self._known[id(output)]

    @property
    def halves(self) -> set[str]:
        """The types shorter than float32 that tensors were cast to."""
        return self._standards.halves

    def check_weights(self) -> None:
        """Raises NoGraph where a layer of the user's computes with weights that no layer of Keras holds."""
        for layer in self._run.entered:
            for weight in (*layer._trainable_variables, *layer._non_trainable_variables):
                if id(weight) not in self._standards.used:
                    raise NoGraph(
                        f"the layer {layer.name} ({type(layer).__name__}) computes with weights of its own, "
                        f"{weight.name}"
                    )

    def _name_layers(self, operations: Iterator[Any]) -> None:
        """By their own names, with those of the user's layers around them where two have the same."""
        layers = {id(each): each for each in operations if isinstance(each, keras.Layer)}
        own = Counter(layer.name for layer in layers.values())
        for key, layer in layers.items():
            around = self._run.owners.get(key, ())
            name = layer.name if own[layer.name] == 1 else "_".join((*around, layer.name))
            self._operation_names[key] = self._free(name)

    def _free(self, name: str) -> str:
        free, number = name, 0
        while free in self._taken:
            number += 1
            free = f"{name}_{number}"
        self._taken.add(free)
        return free

    def _add(self, node: Any) -> None:
        if len(node.outputs) != 1:
            raise NoGraph(f"the operation {node.operation.name} has {len(node.outputs)} results")
        arguments, output = node.arguments, node.outputs[0]
        standard = self._standards.of(node.operation, arguments.args, arguments.kwargs, output)
        if standard.operation is None:
            self._known[id(output)] = self._known[id(standard.args[0])]
            return
        operation = standard.operation
        self._check_call(operation, standard.kwargs)
        if id(operation) not in self._operation_names:
            self._operation_names[id(operation)] = self._free(to_snake_case(type(operation).__name__))

        def numbered(leaf: Any) -> Any:
            return self._known[id(leaf)] if isinstance(leaf, keras.KerasTensor) else leaf

        kwargs = {key: value for key, value in standard.kwargs.items() if key != "training"}
        args, kwargs = tree.map_structure(numbered, (standard.args, kwargs))
        flat = self._known[id(output)] = self.new(tuple(output.shape), output.dtype)
        self._operations.append(operation)
        self.calls.append(
            Call(
                name=self._unique(self._operation_names[id(operation)], operation),
                operation=operation,
                args=args,
                kwargs=kwargs,
                output=flat,
                shape=tuple(output.shape),
            )
        )

    def _check_call(self, operation: Any, kwargs: dict[str, Any]) -> None:
        if kwargs.get("training"):
            raise NoGraph(f"the layer {operation.name} is called with training=True")
        if id(operation) in self._alone:
            raise ModelError(
                f"{self._model.name} makes the layer {operation.name} ({type(operation).__name__}) anew in "
                "each call, with other random weights: make it in __init__ and call it in call()"
            )


def _standing_alone(model: keras.Model, run: SymbolicRun) -> set[int]:
    """The layers with weights that another call would not use: their class makes them while it runs."""
    tracked = {id(layer) for layer in model._flatten_layers()}
    alone = {key for key, layer in run.layers.items() if key not in tracked and layer.weights}
    if alone:  # in a container that Keras does not look into, or made anew
        alone -= symbolic_run(model, tuple(run.image.shape[1:])).layers.keys()
    return alone


def _nodes_before(output: keras.KerasTensor, image: keras.KerasTensor) -> list[Any]:
    """The nodes that `output` depends on, in an order in which they can run."""
    nodes: list[Any] = []
    seen: set[int] = set()
    stack = [(output._keras_history.operation._inbound_nodes[output._keras_history.node_index], False)]
    while stack:
        node, done = stack.pop()
        if done:
            nodes.append(node)
        elif id(node) not in seen and not node.is_input:
            seen.add(id(node))
            stack.append((node, True))
            for tensor in reversed(node.input_tensors):
                history = tensor._keras_history
                stack.append((history.operation._inbound_nodes[history.node_index], False))
    return nodes


def _tensors(value: Any) -> Iterator[FlatTensor]:
    yield from (leaf for leaf in tree.flatten(value) if isinstance(leaf, FlatTensor))
