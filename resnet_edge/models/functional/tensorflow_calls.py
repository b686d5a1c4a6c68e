"""Runs in a worker. Functions of TensorFlow on symbolic tensors, as Keras operations with the same numbers.

By the names under which TensorFlow exports them, with the parameters that it gives them. What is not here is
refused: nothing is looked up by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

Call = Callable[..., Any]

BATCH = -1
"""What `tf.shape(x)[0]` is in a new shape."""


def _unary(call: Call) -> Call:
    """Of one tensor, whatever TensorFlow calls its parameter."""

    def applied(**given: Any) -> Any:
        if len(given) != 1:
            raise TypeError("it has more than a tensor")
        return call(*given.values())

    return applied


def _binary(call: Call) -> Call:
    return lambda x, y: call(x, y)


def _reduced(call: Call) -> Call:
    return lambda input_tensor, axis=None, keepdims=False: call(input_tensor, axis=axis, keepdims=keepdims)


def _leaky_relu(features: Any, alpha: float = 0.2) -> Any:
    return ops.leaky_relu(features, negative_slope=alpha)


def _gelu(features: Any, approximate: bool = False) -> Any:
    return ops.gelu(features, approximate=approximate)


def _silu(features: Any, beta: float = 1.0) -> Any:
    return ops.silu(features) if beta == 1 else features * ops.sigmoid(beta * features)


def _softmax(logits: Any, axis: int = -1) -> Any:
    return ops.softmax(logits, axis=axis)


def _shape(input: Any, out_type: Any = None) -> list[int]:
    return [BATCH if size is None else size for size in input.shape]


def _reshape(tensor: Any, shape: Any) -> Any:
    sizes = [int(size) for size in shape]
    if tensor.shape[0] is None and sizes.count(-1) == 2 and sizes[0] == -1:
        known = 1
        for size in tensor.shape[1:]:
            known *= size
        for size in sizes[1:]:
            known //= size if size != -1 else 1
        sizes = [-1, *(known if size == -1 else size for size in sizes[1:])]
    return ops.reshape(tensor, tuple(sizes))


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0) -> Any:
    widths = tuple(tuple(int(width) for width in pair) for pair in paddings)
    if mode.upper() != "CONSTANT":
        return ops.pad(tensor, widths, mode=mode.lower())
    return ops.pad(tensor, widths, constant_values=constant_values)


def _split(value: Any, num_or_size_splits: Any, axis: int = 0) -> list[Any]:
    axis = axis % len(value.shape)
    size = value.shape[axis]
    count = num_or_size_splits
    sizes = [size // count] * count if isinstance(count, int) else [int(each) for each in count]
    start, parts = 0, []
    for each in sizes:
        parts.append(value[(*[slice(None)] * axis, slice(start, start + each))])
        start += each
    return parts


def _resize(images: Any, size: Any, method: Any = "bilinear", antialias: bool = False) -> Any:
    height, width = (int(each) for each in size)
    method = str(getattr(method, "value", method)).lower()
    return ops.image.resize(
        images, (height, width), interpolation=method, antialias=antialias, data_format="channels_last"
    )


def _pooled(call: Call) -> Call:
    def pooled(input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC") -> Any:
        order = "channels_first" if data_format == "NCHW" else "channels_last"
        window, step = _window(ksize, order), _window(strides, order)
        return call(input, window, step, padding=padding.lower(), data_format=order)

    return pooled


def _conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = 1,
) -> Any:
    order = "channels_first" if data_format == "NCHW" else "channels_last"
    return ops.conv(
        input,
        filters,
        strides=_window(strides, order),
        padding=padding.lower(),
        data_format=order,
        dilation_rate=_window(dilations, order),
    )


def _window(sizes: Any, order: str) -> tuple[int, int]:
    """(height, width) of what TensorFlow takes as a number, a pair or one number for each axis."""
    given = [int(each) for each in keras.tree.flatten(sizes)]
    if len(given) == 4:
        given = given[2:] if order == "channels_first" else given[1:3]
    return (given[0], given[-1])


def _bias_add(value: Any, bias: Any, data_format: str = "NHWC") -> Any:
    if data_format != "NHWC":
        raise TypeError("channels that come first are not added to here")
    return ops.add(value, bias)


def _add_n(inputs: Any) -> Any:
    return keras.layers.Add()(list(inputs))


def _concat(values: Any, axis: int) -> Any:
    return ops.concatenate(list(values), axis=int(axis))


def _matmul(a: Any, b: Any) -> Any:
    return ops.matmul(a, b)


def called(name: str, given: dict[str, Any]) -> Any:
    """What the function gives. Raises Unknown for one that is not on the list, or called in another way."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise Unknown(name)
    try:
        return function(**given)
    except TypeError as error:
        raise Unknown(name) from error


class Unknown(Exception):
    """A function that is not rebuilt, by its name."""


FUNCTIONS: dict[str, Call] = {
    **{
        name: _unary(call)
        for name, call in {
            "nn.relu": ops.relu,
            "nn.relu6": ops.relu6,
            "nn.elu": ops.elu,
            "nn.selu": ops.selu,
            "nn.softsign": ops.softsign,
            "math.softplus": ops.softplus,
            "math.sigmoid": ops.sigmoid,
            "math.tanh": ops.tanh,
            "math.abs": ops.abs,
            "math.square": ops.square,
            "math.sqrt": ops.sqrt,
            "math.rsqrt": ops.rsqrt,
            "math.exp": ops.exp,
            "math.log": ops.log,
            "math.negative": ops.negative,
            "identity": lambda x: x,
            "stop_gradient": ops.stop_gradient,
        }.items()
    },
    **{
        name: _binary(call)
        for name, call in {
            "math.add": ops.add,
            "math.subtract": ops.subtract,
            "math.multiply": ops.multiply,
            "math.divide": ops.divide,
            "math.truediv": ops.true_divide,
            "math.maximum": ops.maximum,
            "math.minimum": ops.minimum,
            "math.pow": ops.power,
        }.items()
    },
    "math.reduce_mean": _reduced(ops.mean),
    "math.reduce_sum": _reduced(ops.sum),
    "math.reduce_max": _reduced(ops.max),
    "math.reduce_min": _reduced(ops.min),
    "math.add_n": _add_n,
    "math.l2_normalize": lambda x, axis=None, epsilon=1e-12: ops.normalize(
        x, axis=axis, epsilon=epsilon**0.5
    ),
    "nn.leaky_relu": _leaky_relu,
    "nn.gelu": _gelu,
    "nn.silu": _silu,
    "nn.swish": _silu,
    "nn.softmax": _softmax,
    "nn.log_softmax": lambda logits, axis=-1: ops.log_softmax(logits, axis=axis),
    "nn.conv2d": _conv2d,
    "nn.bias_add": _bias_add,
    "nn.max_pool2d": _pooled(ops.max_pool),
    "nn.max_pool": _pooled(ops.max_pool),
    "nn.avg_pool2d": _pooled(ops.average_pool),
    "nn.avg_pool": _pooled(ops.average_pool),
    "linalg.matmul": _matmul,
    "cast": lambda x, dtype: ops.cast(x, keras.backend.standardize_dtype(dtype)),
    "convert_to_tensor": lambda value, dtype=None, dtype_hint=None: value,
    "clip_by_value": lambda t, clip_value_min, clip_value_max: ops.clip(t, clip_value_min, clip_value_max),
    "concat": _concat,
    "stack": lambda values, axis=0: ops.stack(list(values), axis=axis),
    "shape": _shape,
    "reshape": _reshape,
    "transpose": lambda a, perm=None, conjugate=False: ops.transpose(a, perm),
    "expand_dims": lambda input, axis: ops.expand_dims(input, axis),
    "squeeze": lambda input, axis=None: ops.squeeze(input, axis),
    "tile": lambda input, multiples: ops.tile(input, multiples),
    "pad": _pad,
    "split": _split,
    "image.resize": _resize,
}
"""The function that takes TensorFlow's arguments (`name` and those that are None left out), by its name."""
