"""Runs in a worker. Which operations hand every channel on by itself, and which leave one of zeros zero.

A channel can only be removed where nothing mixes it with others, and the network without it only
equals the network with zeros in it where zero stays zero, or a product makes it zero again, before
a layer reads it.
"""

from __future__ import annotations

from typing import Any

from keras import layers, tree

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

_NOT_ZERO_AT_ZERO = {"sigmoid", "hard_sigmoid", "softplus", "exponential", "log_sigmoid", "squareplus"}
"""The others that work on each number by itself."""

_OPERATIONS = {name.replace("_", "") for name in _ZERO_AT_ZERO} | {"identity", "absolute", "square"}
"""The same as operations of a graph (`keras.ops.relu(x)`), by lower-case class name."""

_SHIFTING = {name.replace("_", "") for name in _NOT_ZERO_AT_ZERO} | {"exp"}

_NORMALIZING = (
    layers.LayerNormalization, layers.GroupNormalization, layers.UnitNormalization, layers.RMSNormalization,
)  # fmt: skip

_JOINTS = (layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Subtract)
"""What works on two numbers at the same place, and gives zero for zeros."""


def obstacle(call: Call) -> str | None:
    """Why `call` does not hand every channel on by itself, in words; None: it does.

    Sliceable layers that make channels of their own are not asked about what they read.
    """
    operation = call.operation
    if getattr(operation, "data_format", None) == "channels_first":
        return "has channels first"
    if type(operation) in _PASSING:
        return None
    if type(operation) is layers.Activation:
        return activation_obstacle(operation)
    if type(operation) is layers.Rescaling:
        return _rescaling_obstacle(operation)
    if isinstance(operation, _NORMALIZING):
        return "normalizes by a mean or a length over channels"
    if _is_keras_operation(operation):
        return _operation_obstacle(call)
    return "is of no known kind"


def offset(call: Call) -> str | None:
    """Why `call`, which hands every channel on by itself, does not leave zeros zero; None: it does."""
    operation = call.operation
    if call.kind == "ReLU" and operation.negative_slope and operation.threshold:
        return "is not 0 at 0"
    if type(operation) is layers.Activation:
        return activation_offset(operation)
    if type(operation) is layers.Rescaling:
        return "adds an offset" if operation.offset else None
    if not _is_keras_operation(operation):
        return None
    if call.kind in ("Add", "Subtract"):
        return "adds a constant"
    return "is not 0 at 0" if call.kind.lower() in _SHIFTING else None


def activation_obstacle(layer: Any) -> str | None:
    """Why the activation of a layer mixes its channels; None: it does not, or there is none."""
    name, known = _activation(layer)
    if known & (_ZERO_AT_ZERO | _NOT_ZERO_AT_ZERO):
        return None
    return "mixes the channels (softmax)" if name == "softmax" else f"ends in {name}, which is not known"


def activation_offset(layer: Any) -> str | None:
    """Why the activation of a layer does not leave zeros zero; None: it does, or there is none."""
    name, known = _activation(layer)
    return f"ends in {name}, which is not 0 at 0" if known & _NOT_ZERO_AT_ZERO else None


def _activation(layer: Any) -> tuple[str, set[str]]:
    """The name of the activation of a layer, and the same as a set, empty where it is not one of Keras."""
    activation = getattr(layer, "activation", None)
    if activation is None or type(activation) in _PASSING:
        return "linear", {"linear"}
    name = getattr(activation, "__name__", type(activation).__name__)
    return name, {name} if getattr(activation, "__module__", "").startswith("keras.") else set()


def scales(layer: Any) -> bool:
    """Whether a layer that carries channels multiplies them by weights, and one of zeros makes zeros."""
    if type(layer) is layers.BatchNormalization:
        return bool(layer.scale)
    return type(layer) is not layers.PReLU


def is_addition(call: Call) -> bool:
    """Whether it adds tensors (a layer, or `x + y`)."""
    named = _is_keras_operation(call.operation) and call.kind == "Add"
    return type(call.operation) is layers.Add or (named and len(call.inputs) > 1)


def is_joint(call: Call) -> bool:
    """Whether it adds tensors or the like, place by place; or appends one to another along the picture."""
    if type(call.operation) in _JOINTS or is_addition(call) or _is_scaled_addition(call):
        return True
    named = _is_keras_operation(call.operation) and call.kind in ("Subtract", "Maximum", "Minimum")
    return (named and len(call.inputs) > 1) or _concatenated_axis(call) in _PICTURE


def _is_scaled_addition(call: Call) -> bool:
    """`x + 0.2 * y`, which keras.applications has as a layer in InceptionResNetV2."""
    return call.kind == "CustomScaleLayer" and type(call.operation).__module__.startswith("keras.src.")


def is_product(call: Call) -> bool:
    """Whether it multiplies tensors (a layer, or `x * y`)."""
    named = _is_keras_operation(call.operation) and call.kind == "Multiply"
    return type(call.operation) is layers.Multiply or (named and len(call.inputs) > 1)


def is_concatenation(call: Call) -> bool:
    """Whether it appends the channels of one tensor to those of another, and nothing that is no tensor."""
    return _concatenated_axis(call) == -1


_PICTURE = (-3, -2)


def _concatenated_axis(call: Call) -> int | None:
    """The axis, counted from the end; None where it is no concatenation of tensors."""
    operation = call.operation
    named = _is_keras_operation(operation) and call.kind == "Concatenate"
    if not (type(operation) is layers.Concatenate or named):
        return None
    if len(call.inputs) < len(tree.flatten(call.args)):
        return None
    axis: int = operation.axis
    return axis if axis < 0 else axis - len(call.shape)


def _rescaling_obstacle(layer: Any) -> str | None:
    if not isinstance(layer.scale, int | float) or not isinstance(layer.offset, int | float):
        return "scales each channel by a value of its own"
    return None


def _operation_obstacle(call: Call) -> str | None:
    if call.kind.lower() in _OPERATIONS | _SHIFTING:
        return None
    if call.kind in ("Multiply", "TrueDivide", "Divide"):
        return _product_obstacle(call)
    if call.kind == "Mean":
        axes = call.operation.axis
        spatial = set(axes if isinstance(axes, list | tuple) else [axes]) == {1, 2}
        return None if spatial and len(call.shape) in (2, 4) else "averages over other axes than the picture"
    if call.kind in ("Add", "Subtract"):
        return None if _by_numbers(call) else "adds a constant for each channel"
    return "is of no known kind"


def _product_obstacle(call: Call) -> str | None:
    if len(call.inputs) > 1:
        return "divides two tensors"
    # `2 / x` is not 0 at 0, so that the tensor has to come first in a quotient
    first = call.args and isinstance(call.args[0], FlatTensor)
    whole = _by_numbers(call) and (first or call.kind == "Multiply")
    return None if whole else "multiplies by more than a number"


def _by_numbers(call: Call) -> bool:
    """Whether all that stands beside the tensor is numbers."""
    return all(isinstance(leaf, FlatTensor | int | float) for leaf in call.args)


def _is_keras_operation(operation: Any) -> bool:
    return type(operation).__module__.startswith("keras.") and not isinstance(operation, layers.Layer)
