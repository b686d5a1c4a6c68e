"""Runs in a worker. A model called once on a symbolic image, whatever its class computes in Python.

Keras records what its own layers and operations do to a `KerasTensor`. Two things it does not: a layer of a
user's class is one node to it, and a function of TensorFlow refuses the tensor. Here the `call` of a user's
class runs instead, so that its layers stand in the graph one by one, and TensorFlow's dispatch of its own
functions (`tf.__internal__.dispatch`, by which Keras 2 did the same) hands them to `tensorflow_calls`.

The call is one of inference: a branch `if training:` is not taken. What branches on the values of a tensor
cannot be recorded, and the line that does it is named.
"""

from __future__ import annotations

import inspect
import linecache
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import keras
from keras import KerasTensor, tree

from resnet_edge.core.errors import first_line
from resnet_edge.models._held import replaced

_CONTAINERS = (keras.Layer, keras.layers.Wrapper, keras.Model, keras.Sequential)
"""Classes of Keras that compute nothing themselves: a user's class is not one of their kind."""

_PACKAGES = Path(inspect.getfile(keras)).parent.parent
_LIBRARIES = (
    *(f"{_PACKAGES / name}{os.sep}" for name in ("keras", "tensorflow", "optree", "numpy")),
    f"{Path(__file__).parent.parent}{os.sep}",
    "<",
)
"""Where no line of the user's stands."""


class NoGraph(Exception):
    """The model cannot be called on a symbolic image; the message says which line of it, and why."""


@dataclass(kw_only=True)
class SymbolicRun:
    """What a call on a symbolic image recorded.

    `layers` are those of Keras that ran, by id, and `owners` the names of the user's layers around each;
    `entered` the layers of a user's class whose `call` ran; `losses` how many losses they added, which
    inference does not have; `refused` the last function of TensorFlow that is not known.
    """

    image: KerasTensor
    outputs: Any = None
    owners: dict[int, tuple[str, ...]] = field(default_factory=dict)
    layers: dict[int, keras.Layer] = field(default_factory=dict)
    entered: list[keras.Layer] = field(default_factory=list)
    losses: int = 0
    refused: str = ""


_running: list[tuple[SymbolicRun, list[str]]] = []
"""The run in progress, with the names of the layers that it is in; empty, or one."""


def symbolic_run(model: keras.Model, shape: tuple[int, ...]) -> SymbolicRun:
    """Call `model` on an image of `shape` in inference mode. Raises NoGraph."""
    run = SymbolicRun(image=keras.Input(shape, name="image"))
    structure = getattr(model, "input", None)
    inputs = run.image if structure is None else tree.pack_sequence_as(structure, [run.image])
    with _recording(run):
        try:
            run.outputs = _inlined(model, (inputs,), {})
        except NoGraph:
            raise
        except Exception as error:  # the user's own code, called in a way that it need not support
            raise NoGraph(_reason(error, run)) from error
    for tensor in tree.flatten(run.outputs):
        if not isinstance(tensor, KerasTensor):
            raise NoGraph(f"its call gives a {type(tensor).__name__} that does not depend on the image")
    return run


def is_builtin(layer: Any) -> bool:
    """Whether Keras computes what this layer gives: one of its classes, or one derived from it that computes
    the same."""
    return type(layer) is not keras.layers.Lambda and builtin_class(layer) is not None


def builtin_class(layer: Any) -> type | None:
    """The class of Keras whose `call` the layer runs; None where it is a user's, or a container."""
    for kind in type(layer).__mro__:
        if kind.__module__.startswith("keras."):
            own = kind not in _CONTAINERS and type(layer).call is getattr(kind, "call", None)
            return kind if own and not isinstance(layer, keras.Model) else None
    return None


@contextmanager
def _recording(run: SymbolicRun) -> Iterator[None]:
    call = keras.Layer.__call__

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_symbolic((args, kwargs)):
            return call(layer, *args, **kwargs)
        if not is_builtin(layer):
            return _inlined(layer, args, kwargs)
        run.layers[id(layer)] = layer
        run.owners.setdefault(id(layer), tuple(_running[-1][1][1:]))
        return call(layer, *args, **kwargs)

    def add_loss(_: Any, loss: Any) -> None:
        run.losses += 1

    own_shape = KerasTensor.shape
    with ExitStack() as stack:
        stack.enter_context(replaced(keras.Layer, "__call__", called))
        stack.enter_context(replaced(keras.Layer, "add_loss", add_loss))
        for name, operation in _OF_VARIABLES.items():
            stack.enter_context(replaced(keras.Variable, name, _symbolic_too(name, operation)))
        sizes = property(lambda tensor: Sizes(own_shape.fget(tensor)))
        stack.enter_context(replaced(KerasTensor, "shape", sizes))
        stack.enter_context(_with_attribute(KerasTensor, "get_shape", lambda tensor: tensor.shape))
        stack.enter_context(_tensorflow_functions(run))
        _running.append((run, []))
        try:
            yield
        finally:
            _running.pop()


@contextmanager
def _tensorflow_functions(run: SymbolicRun) -> Iterator[None]:
    """Within, they take symbolic tensors; on another backend of Keras no model calls them."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    from resnet_edge.models.functional import tensorflow_dispatch

    tensorflow_dispatch.listen(lambda name: setattr(run, "refused", name))
    try:
        yield
    finally:
        tensorflow_dispatch.stop()


_OF_VARIABLES = {
    "__add__": keras.ops.add,
    "__sub__": keras.ops.subtract,
    "__mul__": keras.ops.multiply,
    "__truediv__": keras.ops.true_divide,
    "__matmul__": keras.ops.matmul,
}


def _symbolic_too(name: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator of a variable, which takes its value where the other operand is no symbolic tensor."""
    own: Callable[[Any, Any], Any] = getattr(keras.Variable, name)
    return lambda one, other: operation(one, other) if isinstance(other, KerasTensor) else own(one, other)


class Sizes(tuple[int | None, ...]):
    """The shape of a symbolic tensor, with the methods that the shape of a TensorFlow tensor has."""

    def as_list(self) -> list[int | None]:
        """The sizes; None is that of the batch."""
        return list(self)

    @property
    def rank(self) -> int:
        """How many there are."""
        return len(self)

    ndims = rank


@contextmanager
def _with_attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    setattr(owner, name, value)
    try:
        yield
    finally:
        delattr(owner, name)


def _is_symbolic(values: Any) -> bool:
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(values))


def _inlined(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the `call` of a layer gives, which need not be one of Keras."""
    run, inside = _running[-1]
    function: Callable[..., Any] = layer.call
    if isinstance(layer, keras.layers.Lambda):
        function = layer.function
        kwargs = {**(layer.arguments or {}), **kwargs}
    parameters = inspect.signature(function).parameters
    if (
        "training" in parameters
        and "training" not in inspect.signature(function).bind(*args, **kwargs).arguments
    ):
        kwargs = {**kwargs, "training": False}
    if kwargs.get("training", False) is None:
        kwargs = {**kwargs, "training": False}
    run.entered.append(layer)
    inside.append(layer.name)
    before = dict(vars(layer))
    try:
        return function(*args, **kwargs)
    finally:
        inside.pop()
        vars(layer).clear()  # a `call` may keep tensors in its layer, and symbolic ones are of no use there
        vars(layer).update(before)


def _reason(error: BaseException, run: SymbolicRun) -> str:
    where = _place(error.__traceback__)
    what = first_line(error)
    if "cannot be used as a boolean" in what or "as a Python boolean" in what:
        what = "it branches on the values of a tensor, which no file can hold"
    elif "A KerasTensor cannot be used as input to a TensorFlow function" in what or "TypeSpec for" in what:
        name = run.refused.removeprefix("compat.v1.")
        called = f"tf.{name}" if name else "a function of TensorFlow"
        what = f"{called} is not known here"
    return f"{where}{what}"


def _place(trace: TracebackType | None) -> str:
    """The innermost line that is the user's, in words; empty where there is none."""
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_LIBRARIES):
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            shown = f" `{line}`" if line else ""
            place = f"{Path(code.co_filename).name}, line {trace.tb_lineno}, in {code.co_name}:{shown}: "
        trace = trace.tb_next
    return place
