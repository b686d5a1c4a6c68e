"""Runs in a worker. What layers give while a model runs, whatever framework made it.

Real calls are watched, so that nested, shared and subclassed layers are seen as often as they run.
Works on the layers of Keras 3 and of tf_keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Key = tuple[str, int]
"""The name of a layer, and which of its calls, from 0."""

Instead = Callable[[Any, Any], Any]
"""From a layer and what it gave to what it shall give."""


def innermost(model: Any) -> list[Any]:
    """The layers below `model` that hold no other layer."""
    return [layer for layer in model._flatten_layers() if not any(_inside(layer))]


@contextmanager
def replaced_outputs(model: Any, instead: Instead) -> Iterator[None]:
    """Within, every innermost layer of `model` gives `instead(layer, output)`."""
    layers = innermost(model)
    before = {id(layer): vars(layer).get("call") for layer in layers}
    for layer in layers:
        layer.call = _wrapped(layer, layer.call, instead)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call  # the wrapper of this one; the method of the class is visible again
            if (own := before[id(layer)]) is not None:  # tf_keras' TFOpLambda has one that is no method
                layer.call = own


def layer_outputs(model: Any, run: Callable[[], Any]) -> dict[Key, Array]:
    """What each innermost layer of `model` gives while `run` runs it, in the order of the calls.

    Arrays of float32; a layer that gives several tensors is left out.
    """
    outputs: dict[Key, Array] = {}
    calls: dict[str, int] = {}

    def noted(layer: Any, output: Any) -> Any:
        number = calls[layer.name] = calls.get(layer.name, -1) + 1
        if hasattr(output, "shape"):
            outputs[layer.name, number] = as_array(output)
        return output

    with replaced_outputs(model, noted):
        run()
    return outputs


def as_array(values: Any) -> Array:
    """A tensor of either framework, of any float type, as float32."""
    values = values.numpy() if hasattr(values, "numpy") else values
    return np.asarray(values).astype(np.float32)


def _inside(layer: Any) -> Iterator[Any]:
    yield from layer._flatten_layers(include_self=False)


def _wrapped(layer: Any, call: Callable[..., Any], instead: Instead) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return instead(layer, call(*args, **kwargs))

    return wrapped
