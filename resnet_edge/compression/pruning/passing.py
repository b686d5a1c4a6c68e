"""Runs in a worker. Which operations hand every channel on by itself, and leave one of zeros zero.

Both are needed: a channel can only be removed where nothing mixes it with others, and the
network without it only equals the network with zeros in it where zero stays zero.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from resnet_edge.models.functional.flat import Call, FlatTensor

_PASSING = (
    layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Identity,
    layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout, layers.GaussianNoise,
    layers.MaxPooling2D, layers.AveragePooling2D,
    layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D,
    layers.ZeroPadding2D, layers.Cropping2D, layers.UpSampling2D,
)  # fmt: skip

_ZERO_AT_ZERO = {
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "tanh",
    "hard_tanh", "hard_silu", "hard_swish", "mish", "softsign", "soft_shrink", "hard_shrink", "tanh_shrink",
}  # fmt: skip
"""Keras' activations that work on each number by itself, with f(0) = 0."""

_OPERATIONS = {name.replace("_", "") for name in _ZERO_AT_ZERO} | {"identity", "absolute", "square"}
"""The same as operations of a graph (`keras.ops.relu(x)`), by lower-case class name."""


def obstacle(call: Call) -> str | None:
    """Why `call` does not hand every channel on by itself, in words; None: it does.

    Sliceable layers that make channels of their own are not asked about what they read.
    """
    operation = call.operation
    if getattr(operation, "data_format", None) == "channels_first":
        return "has channels first"
    if call.kind == "ReLU" and operation.negative_slope and operation.threshold:
        return "is not 0 at 0"
    if type(operation) in _PASSING:
        return None
    if type(operation) is layers.Activation:
        return activation_obstacle(operation)
    if type(operation) is layers.Rescaling:
        return _rescaling_obstacle(operation)
    if _is_keras_operation(operation):
        return _operation_obstacle(call)
    return "is of no known kind"


def activation_obstacle(layer: Any) -> str | None:
    """Why the activation of a layer spoils its channels; None: it does not, or there is none."""
    activation = getattr(layer, "activation", None)
    if activation is None or type(activation) in _PASSING:
        return None
    name = getattr(activation, "__name__", type(activation).__name__)
    if getattr(activation, "__module__", "").startswith("keras.") and name in _ZERO_AT_ZERO:
        return None
    return "mixes the channels (softmax)" if name == "softmax" else f"ends in {name}, which is not 0 at 0"


def is_addition(call: Call) -> bool:
    """Whether it adds tensors (a layer, or `x + y`)."""
    named = _is_keras_operation(call.operation) and call.kind == "Add"
    return type(call.operation) is layers.Add or (named and len(call.inputs) > 1)


def _rescaling_obstacle(layer: Any) -> str | None:
    if not isinstance(layer.scale, int | float) or not isinstance(layer.offset, int | float):
        return "scales each channel by a value of its own"
    return "adds an offset" if layer.offset else None


def _operation_obstacle(call: Call) -> str | None:
    if call.kind.lower() in _OPERATIONS:
        return None
    if call.kind in ("Multiply", "TrueDivide", "Divide"):
        return _product_obstacle(call)
    if call.kind == "Mean":
        axes = call.operation.axis
        spatial = set(axes if isinstance(axes, list | tuple) else [axes]) == {1, 2}
        return None if spatial and len(call.shape) in (2, 4) else "averages over other axes than the picture"
    if call.kind in ("Add", "Subtract"):
        return "adds a constant" if len(call.inputs) == 1 else "subtracts tensors"
    return "is of no known kind"


def _product_obstacle(call: Call) -> str | None:
    if len(call.inputs) > 1:
        return "multiplies or divides two tensors"
    # `2 / x` is not 0 at 0, so that the tensor has to come first in a quotient
    scalar = all(isinstance(leaf, FlatTensor | int | float) for leaf in call.args)
    first = call.args and isinstance(call.args[0], FlatTensor)
    return None if scalar and (first or call.kind == "Multiply") else "multiplies by more than a number"


def _is_keras_operation(operation: Any) -> bool:
    return type(operation).__module__.startswith("keras.") and not isinstance(operation, layers.Layer)
