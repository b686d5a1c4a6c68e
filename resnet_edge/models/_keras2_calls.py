"""Runs in a worker. TensorFlow functions that Keras 2 stored as layers, as Keras 3 layers.

`x / 127.5` or `preprocess_input(x)` in a Keras 2 functional model leaves a TFOpLambda: the
name of a function and its constants. A few names are all that image classifiers use; every
other one is refused, and nothing is looked up by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from resnet_edge.core.errors import ModelError


def _applied(layer: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda x: layer()(x)


def _scaled(scale: float, offset: float | list[float]) -> Callable[[Any], Any]:
    return _applied(lambda: layers.Rescaling(scale, offset))


_WITH_NUMBER: dict[str, Callable[[float], Callable[[Any], Any]]] = {
    "math.truediv": lambda y: _scaled(1 / y, 0.0),
    "math.divide": lambda y: _scaled(1 / y, 0.0),
    "math.multiply": lambda y: _scaled(y, 0.0),
    "math.subtract": lambda y: _scaled(1.0, -y),
    "math.add": lambda y: _scaled(1.0, y),
    "__operators__.add": lambda y: _scaled(1.0, y),
}
_WITH_TENSOR: dict[str, Callable[[], Any]] = {
    "math.add": layers.Add,
    "__operators__.add": layers.Add,
    "math.multiply": layers.Multiply,
    "math.subtract": layers.Subtract,
}
_ALONE: dict[str, Callable[[], Any]] = {
    "nn.relu": layers.ReLU,
    "nn.softmax": layers.Softmax,
    "identity": layers.Identity,
}


FUNCTIONS = {*_WITH_NUMBER, *_WITH_TENSOR, *_ALONE, "nn.bias_add", "__operators__.getitem", "cast"}
"""The names of all that are rebuilt."""

_REVERSED = [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]
"""`x[..., ::-1]`, how Keras 2 stores RGB to BGR."""


def call(entry: dict[str, Any], x: Any, arguments: dict[str, Any], file: str) -> Any:
    """What the stored function makes of `x`. Raises ModelError for a function not on the list."""
    function = str(entry["config"].get("function"))
    rebuilt = _rebuilt(function, {k: v for k, v in arguments.items() if v is not None and k != "name"})
    if rebuilt is None:
        raise ModelError(
            f"{file} calls the TensorFlow function {function} as a layer, which is not rebuilt here: "
            "use a built-in layer (Rescaling for scaling), or save the model as a SavedModel and pass --trust"
        )
    return rebuilt(x)


def _rebuilt(function: str, arguments: dict[str, Any]) -> Callable[[Any], Any] | None:
    match arguments:
        case {"y": bool()}:
            return None
        case {"y": int() | float() as number, **rest} if not rest and function in _WITH_NUMBER:
            return _WITH_NUMBER[function](float(number)) if number or "div" not in function else None
        case {"y": keras.KerasTensor() as other, **rest} if not rest and function in _WITH_TENSOR:
            return lambda x: _WITH_TENSOR[function]()([x, other])
        case {"bias": [*offsets], "data_format": "NHWC", **rest} if not rest and function == "nn.bias_add":
            return _scaled(1.0, offsets)
        case {"slice_spec": spec, **rest} if (
            not rest and function == "__operators__.getitem" and spec == _REVERSED
        ):
            return lambda x: x[..., ::-1]
        case {"dtype": "float32", **rest} if not rest and function == "cast":
            return _applied(layers.Identity)
        case {**rest} if not rest and function in _ALONE:
            return _applied(_ALONE[function])
    return None
