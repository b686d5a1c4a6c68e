"""Runs in a worker. Operations of Keras that a model's code left in its graph, as layers of Keras.

`x + y`, `tf.nn.relu(x)` and `Add()([x, y])`, `ReLU()(x)` compute the same; who prunes, quantizes and rebuilds
networks knows the layers. Weights of a user's own that stand in an operation (`tf.nn.conv2d(x, self.kernel)`)
become those of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, tree

from resnet_edge.models.functional.symbolic import NoGraph


@dataclass(frozen=True, kw_only=True)
class Standard:
    """An operation on its arguments. Without an operation: the first argument is what it gives."""

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


FLOATS = ("float32", "bfloat16", "float16")
"""What becomes float32. float64 is refused by no one, and stays."""

Maker = Callable[[Any, list[Any], KerasTensor], Any]
"""From an operation, its arguments and what it gives to a layer for its tensors; None: it stays as it is."""


@dataclass
class Standards:
    """Makes operations standard. `used` are the weights of a user's own that are in layers now, by id;
    `halves` the types shorter than float32 that tensors were to be cast to."""

    used: dict[int, Any] = field(default_factory=dict)
    halves: set[str] = field(default_factory=set)
    _waiting: dict[int, Any] = field(default_factory=dict)
    """Layers whose bias is still to come, by what they give."""

    def of(self, operation: Any, args: Any, kwargs: Any, output: KerasTensor) -> Standard:
        """`operation` as a layer where there is one. Raises NoGraph where weights cannot be a layer's."""
        if isinstance(operation, keras.Layer):
            return Standard(operation=operation, args=args, kwargs=kwargs)
        values = tree.flatten((args, kwargs))
        if any(_is_variable(value) for value in values):
            return self._with_weights(operation, values, output)
        tensors = [value for value in values if isinstance(value, KerasTensor)]
        if _gives_its_input(operation, tensors, output):
            self.halves |= {output.dtype} & {"float16", "bfloat16"}
            return Standard(operation=None, args=(tensors[0],))
        maker = _MAKERS.get(type(operation).__name__) if _is_of_keras(operation) else None
        layer = maker(operation, values, output) if maker else None
        if layer is None:
            return Standard(operation=operation, args=args, kwargs=kwargs)
        return Standard(operation=layer, args=(tensors if len(tensors) > 1 or _joins(layer) else tensors[0],))

    def _with_weights(self, operation: Any, values: list[Any], output: KerasTensor) -> Standard:
        tensors = [value for value in values if isinstance(value, KerasTensor)]
        weights = [value for value in values if _is_variable(value)]
        kind = type(operation).__name__
        name = getattr(weights[0], "path", weights[0].name)
        maker = _WEIGHTED.get(kind)
        if len(tensors) != 1 or len(weights) != 1 or maker is None or not _comes_first(kind, values):
            raise NoGraph(f"the weights {name} stand in the operation {kind}, which is no layer of Keras")
        if id(weights[0]) in self.used:
            raise NoGraph(f"the weights {name} are used more than once outside of a layer of Keras")
        self.used[id(weights[0])] = weights[0]
        value = np.asarray(keras.ops.convert_to_numpy(weights[0]))
        before = self._waiting.pop(id(tensors[0]), None) if kind == "Add" else None
        if before is not None and before.bias.shape == value.shape:
            before.bias.assign(value)
            return Standard(operation=None, args=(tensors[0],))
        layer = maker(operation, tensors[0], value, _biased(output))
        if layer is None:
            raise NoGraph(
                f"the weights {name} {value.shape} stand in the operation {kind} in a way of their own"
            )
        if getattr(layer, "use_bias", False) and kind != "Add":
            self._waiting[id(output)] = layer
        return Standard(operation=layer, args=(tensors[0],))


def _comes_first(kind: str, values: list[Any]) -> bool:
    """Whether the tensor stands where it has to: `kernel @ x` is no layer, `scale * x` is one."""
    return kind in ("Add", "Multiply") or isinstance(values[0], KerasTensor)


def _biased(output: KerasTensor) -> bool:
    """Whether all that reads `output` is the addition of one of a user's own weights."""
    readers = output._keras_history.operation._outbound_nodes
    if len(readers) != 1 or type(readers[0].operation).__name__ != "Add":
        return False
    return any(map(_is_variable, tree.flatten((readers[0].arguments.args, readers[0].arguments.kwargs))))


def _is_variable(value: Any) -> bool:
    of_tensorflow = type(value).__module__.startswith("tensorflow.") and hasattr(value, "assign")
    return isinstance(value, keras.Variable) or of_tensorflow


def _is_of_keras(operation: Any) -> bool:
    return type(operation).__module__.startswith("keras.")


def _joins(layer: Any) -> bool:
    return isinstance(layer, layers.Add | layers.Concatenate | layers.Multiply)


def _gives_its_input(operation: Any, tensors: list[Any], output: KerasTensor) -> bool:
    """Whether nothing happens to the tensor. A cast to half floats is left out: what is rebuilt computes in
    float32, as models of a mixed policy do."""
    kind = type(operation).__name__
    if kind not in ("Cast", "SaturateCast", "ConvertToTensor", "Copy", "Reshape") or len(tensors) != 1:
        return False
    floats = all(tensor.dtype in FLOATS for tensor in (tensors[0], output))
    same = tensors[0].dtype == output.dtype or floats
    return bool(same and tuple(tensors[0].shape) == tuple(output.shape))


def _activation(name: str) -> Maker:
    return lambda operation, values, output: layers.Activation(name)


def _relu(operation: Any, values: list[Any], output: KerasTensor) -> Any:
    return layers.ReLU(operation.max_value, operation.negative_slope, operation.threshold)


def _gelu(operation: Any, values: list[Any], output: KerasTensor) -> Any:
    return None if operation.approximate else layers.Activation("gelu")


def _joined(kind: type, number: Callable[[Any, bool], Any]) -> Maker:
    """An operation on two tensors of one rank, or on a tensor and a constant: then what `number` makes of
    it, and of whether the tensor comes first."""

    def layer_for(operation: Any, values: list[Any], output: KerasTensor) -> Any:
        tensors = [value for value in values if isinstance(value, KerasTensor)]
        if len(values) != 2:
            return None
        if len(tensors) == 2:
            same = len(tensors[0].shape) == len(tensors[1].shape) and tensors[0].dtype == tensors[1].dtype
            return kind() if same else None
        first = isinstance(values[0], KerasTensor)
        constant = _constant(values[1 if first else 0], tensors[0])
        return None if constant is None else number(constant, first)

    return layer_for


def _constant(value: Any, tensor: KerasTensor) -> Any:
    """A number, or a list of one for each channel; None where it is something else."""
    if "float" not in tensor.dtype:
        return None
    try:
        array = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        return None
    if array.size == 1:
        return float(array.reshape(()))
    channels = array.size == array.shape[-1] == tensor.shape[-1] and array.ndim <= len(tensor.shape)
    return array.reshape(-1).tolist() if channels else None


def _scaled(by: Any, first: bool) -> Any:
    return layers.Rescaling(by)


def _divided(by: Any, first: bool) -> Any:
    if not first or not np.all(by):
        return None
    return layers.Rescaling((1 / np.asarray(by, np.float64)).tolist())


def _shifted(by: Any, first: bool) -> Any:
    return layers.Rescaling(1.0, by)


def _lowered(by: Any, first: bool) -> Any:
    return layers.Rescaling(1.0, (-np.asarray(by)).tolist()) if first else layers.Rescaling(-1.0, by)


def _over_picture(kind: type) -> Maker:
    def layer_for(operation: Any, values: list[Any], output: KerasTensor) -> Any:
        axes = operation.axis
        given = axes if isinstance(axes, list | tuple) else [axes]
        tensor = values[0]
        if None in given or len(tensor.shape) != 4 or {axis % 4 for axis in given} != {1, 2}:
            return None
        return kind(keepdims=operation.keepdims, data_format="channels_last")

    return layer_for


def _concatenated(operation: Any, values: list[Any], output: KerasTensor) -> Any:
    return layers.Concatenate(axis=operation.axis) if len(values) > 1 else None


def _reshaped(operation: Any, values: list[Any], output: KerasTensor) -> Any:
    """Where images stay apart."""
    source = values[0]
    if source.shape[0] is not None or output.shape[0] is not None or None in output.shape[1:]:
        return None
    if math.prod(source.shape[1:]) != math.prod(output.shape[1:]):
        return None
    if len(output.shape) == 2 and len(source.shape) > 2:
        return layers.Flatten(data_format="channels_last")
    return layers.Reshape(tuple(output.shape[1:]))


def _permuted(operation: Any, values: list[Any], output: KerasTensor) -> Any:
    axes = operation.axes
    return layers.Permute(tuple(axes[1:])) if axes is not None and axes[0] == 0 else None


def _padded(operation: Any, values: list[Any], output: KerasTensor) -> Any:
    widths, constant = operation.pad_width, values[1] if len(values) > 1 else 0
    if len(widths) != 4 or operation.mode != "constant" or constant not in (0, None):
        return None
    batch, rows, columns, channels = (tuple(pair) for pair in widths)
    if batch != (0, 0) or channels != (0, 0):
        return None
    return layers.ZeroPadding2D((rows, columns), data_format="channels_last")


def _pooled(kind: type) -> Maker:
    def layer_for(operation: Any, values: list[Any], output: KerasTensor) -> Any:
        if len(output.shape) != 4:
            return None
        return kind(operation.pool_size, operation.strides, operation.padding, operation.data_format)

    return layer_for


_MAKERS: dict[str, Maker] = {
    "Relu": lambda operation, values, output: layers.ReLU(),
    "Relu6": lambda operation, values, output: layers.ReLU(6.0),
    "ReLU": _relu,
    "LeakyRelu": lambda operation, values, output: layers.LeakyReLU(operation.negative_slope),
    "Elu": lambda operation, values, output: layers.ELU(operation.alpha),
    "Selu": _activation("selu"),
    "Sigmoid": _activation("sigmoid"),
    "Silu": _activation("silu"),
    "Tanh": _activation("tanh"),
    "Softplus": _activation("softplus"),
    "Softsign": _activation("softsign"),
    "Gelu": _gelu,
    "Softmax": lambda operation, values, output: layers.Softmax(operation.axis),
    "StopGradient": lambda operation, values, output: layers.Identity(),
    "Add": _joined(layers.Add, _shifted),
    "Subtract": _joined(layers.Subtract, _lowered),
    "Multiply": _joined(layers.Multiply, _scaled),
    "Divide": _joined(lambda: None, _divided),  # type: ignore[arg-type]  # Keras has no layer for it
    "TrueDivide": _joined(lambda: None, _divided),  # type: ignore[arg-type]  # Keras has no layer for it
    "Maximum": _joined(layers.Maximum, lambda by, first: None),
    "Minimum": _joined(layers.Minimum, lambda by, first: None),
    "Mean": _over_picture(layers.GlobalAveragePooling2D),
    "Max": _over_picture(layers.GlobalMaxPooling2D),
    "Concatenate": _concatenated,
    "Reshape": _reshaped,
    "Squeeze": _reshaped,
    "ExpandDims": _reshaped,
    "Transpose": _permuted,
    "Pad": _padded,
    "MaxPool": _pooled(layers.MaxPooling2D),
    "AveragePool": _pooled(layers.AveragePooling2D),
}
"""By the class of an operation of Keras."""


def _convolution(operation: Any, tensor: KerasTensor, kernel: Any, biased: bool) -> Any:
    if kernel.ndim != 4 or operation.data_format == "channels_first":
        return None
    layer = layers.Conv2D(
        kernel.shape[-1],
        kernel.shape[:2],
        operation.strides,
        padding=operation.padding,
        dilation_rate=operation.dilation_rate,
        use_bias=biased,
        data_format="channels_last",
    )
    return _with_values(layer, tensor, kernel)


def _dense(operation: Any, tensor: KerasTensor, kernel: Any, biased: bool) -> Any:
    if kernel.ndim != 2:
        return None
    return _with_values(layers.Dense(kernel.shape[1], use_bias=biased), tensor, kernel)


def _channel_scale(operation: Any, tensor: KerasTensor, scale: Any, biased: bool) -> Any:
    """A convolution of 1x1 for each channel, which is what runtimes know of it."""
    if len(tensor.shape) != 4 or scale.size != tensor.shape[-1]:
        return None
    layer = layers.DepthwiseConv2D(1, use_bias=biased, data_format="channels_last")
    return _with_values(layer, tensor, scale.reshape(1, 1, -1, 1))


def _channel_shift(operation: Any, tensor: KerasTensor, shift: Any, biased: bool) -> Any:
    if len(tensor.shape) != 4 or shift.size != tensor.shape[-1]:
        return None
    layer = layers.DepthwiseConv2D(1, data_format="channels_last")
    return _with_values(layer, tensor, np.ones((1, 1, shift.size, 1)), shift.reshape(-1))


def _with_values(layer: Any, tensor: KerasTensor, *values: Any) -> Any:
    layer.build(tuple(tensor.shape))
    for weight, value in zip(
        layer.weights, values, strict=False
    ):  # a bias that is to come is zero until then
        weight.assign(value)
    return layer


_WEIGHTED: dict[str, Callable[[Any, KerasTensor, Any, bool], Any]] = {
    "Conv": _convolution,
    "Matmul": _dense,
    "Dot": _dense,
    "Multiply": _channel_scale,
    "Add": _channel_shift,
}
"""Operations in which weights of a user's own may stand, by class."""
