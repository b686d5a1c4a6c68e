"""Arithmetic between two tensors, and functions of one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from onnx import numpy_helper

from resnet_edge.formats._onnx.builder import NCHW, Builder, NotLowered
from resnet_edge.formats._onnx.layout import axis_here
from resnet_edge.graph.model import Node

Handler = Callable[[Builder, Node], None]


def operand(b: Builder, index: int, rank: int) -> str:
    """An operand of a broadcast. NumPy lines axes up from the right, which is C in NHWC and W
    in NCHW: an operand of lower rank is brought to the full rank first."""
    shape = b.shape(index)
    if rank > 4 and len(shape) == 4:
        raise NotLowered(f"{b.tensor(index).name!r}, an image, is broadcast to rank {rank}")
    if rank != 4 or len(shape) in (0, 4):
        return b.value(index)
    if b.is_constant(index):
        data = b.constant(index)
        return b.operand(index, data.reshape((1,) * (4 - data.ndim) + data.shape).transpose(NCHW))
    full = (1,) * (4 - len(shape)) + shape
    if sum(size != 1 for size in full) > 1 or None in full:
        raise NotLowered(f"{b.tensor(index).name!r} of shape {shape} is broadcast to an image")
    target = b.initializer(np.asarray([full[axis] for axis in NCHW], np.int64), f"{b.name(index)}_shape")
    return b.rounded(b.node("Reshape", [b.value(index), target], b.name(index)), index)


def binary(op: str) -> Handler:
    """A handler for an operation of two operands with a fused activation."""

    def handle(b: Builder, node: Node) -> None:
        rank = max(len(b.shape(i)) for i in node.inputs)
        result = b.node(op, [operand(b, i, rank) for i in node.inputs], b.name(node.outputs[0]))
        b.define(node.outputs[0], result, b.limits(node))

    return handle


def unary(op: str) -> Handler:
    """A handler for a function of one tensor."""

    def handle(b: Builder, node: Node) -> None:
        result = b.node(op, [b.value(node.inputs[0])], b.name(node.outputs[0]))
        b.define(node.outputs[0], result)

    return handle


def clamp(low: float, high: float | None) -> Handler:
    """A handler for an activation that stands alone and only limits."""

    def handle(b: Builder, node: Node) -> None:
        b.define(node.outputs[0], b.value(node.inputs[0]), (low, high))

    return handle


def square(b: Builder, node: Node) -> None:
    """SQUARE."""
    x = b.value(node.inputs[0])
    b.define(node.outputs[0], b.node("Mul", [x, x], b.name(node.outputs[0])))


def squared_difference(b: Builder, node: Node) -> None:
    """SQUARED_DIFFERENCE."""
    hint, rank = b.name(node.outputs[0]), max(len(b.shape(i)) for i in node.inputs)
    difference = b.node("Sub", [operand(b, i, rank) for i in node.inputs], hint)
    b.define(node.outputs[0], b.node("Mul", [difference, difference], hint))


def rsqrt(b: Builder, node: Node) -> None:
    """RSQRT."""
    hint = b.name(node.outputs[0])
    b.define(node.outputs[0], b.node("Reciprocal", [b.node("Sqrt", [b.value(node.inputs[0])], hint)], hint))


def prelu(b: Builder, node: Node) -> None:
    """PRELU: a slope per channel, or per element."""
    rank = len(b.shape(node.inputs[0]))
    operands = [operand(b, index, rank) for index in node.inputs]
    b.define(node.outputs[0], b.node("PRelu", operands, b.name(node.outputs[0])))


def zeros_like(b: Builder, node: Node) -> None:
    """ZEROS_LIKE, which stands where the batch is open."""
    hint = b.name(node.outputs[0])
    shape = b.node("Shape", [b.value(node.inputs[0])], hint)
    zero = numpy_helper.from_array(np.zeros(1, b.real))
    b.define(node.outputs[0], b.node("ConstantOfShape", [shape], hint, value=zero))


def gelu(b: Builder, node: Node) -> None:
    """GELU, with erf or with tanh, in the form that ONNX Runtime fuses; opset 17 has no Gelu."""
    hint, x = b.name(node.outputs[0]), b.value(node.inputs[0])
    one, half = b.number(1, f"{hint}_one"), b.number(0.5, f"{hint}_half")
    if node.options.get("approximate"):
        cube = b.node("Mul", [b.node("Mul", [x, x], hint), x], hint)
        bent = b.node("Mul", [cube, b.number(0.044715, f"{hint}_cubic")], hint)
        slope = b.number(math.sqrt(2 / math.pi), f"{hint}_slope")
        gate = b.node("Tanh", [b.node("Mul", [b.node("Add", [x, bent], hint), slope], hint)], hint)
    else:
        gate = b.node("Erf", [b.node("Div", [x, b.number(math.sqrt(2), f"{hint}_root")], hint)], hint)
    opened = b.node("Mul", [x, b.node("Add", [gate, one], hint)], hint)
    b.define(node.outputs[0], b.node("Mul", [opened, half], hint))


def leaky_relu(b: Builder, node: Node) -> None:
    """LEAKY_RELU."""
    hint = b.name(node.outputs[0])
    b.define(
        node.outputs[0],
        b.node("LeakyRelu", [b.value(node.inputs[0])], hint, alpha=float(node.options["alpha"])),
    )


def hard_swish(b: Builder, node: Node) -> None:
    """HARD_SWISH: x * clip(x / 6 + 1/2, 0, 1)."""
    hint, x = b.name(node.outputs[0]), b.value(node.inputs[0])
    gate = b.node("HardSigmoid", [x], hint, alpha=1 / 6, beta=0.5)
    b.define(node.outputs[0], b.node("Mul", [x, gate], hint))


def softmax(op: str) -> Handler:
    """A handler for SOFTMAX or LOG_SOFTMAX, over the last axis of the portable graph."""

    def handle(b: Builder, node: Node) -> None:
        (source,), hint = node.inputs, b.name(node.outputs[0])
        value, beta = b.value(source), float(node.options.get("beta") or 1.0)
        if beta != 1.0:
            value = b.node("Mul", [value, b.number(beta, f"{hint}_beta")], hint)
        b.define(node.outputs[0], b.node(op, [value], hint, axis=axis_here(-1, len(b.shape(source)))))

    return handle


def cumulative_sum(b: Builder, node: Node) -> None:
    """CUMSUM along a constant axis."""
    source, output, hint = node.inputs[0], node.outputs[0], b.name(node.outputs[0])
    where = axis_here(int(b.constant(node.inputs[1])), len(b.shape(source)))
    axis = b.initializer(np.asarray(where, np.int64), f"{hint}_axis")
    o = node.options
    sums = b.node(
        "CumSum",
        [b.value(source), axis],
        hint,
        exclusive=int(bool(o.get("exclusive"))),
        reverse=int(bool(o.get("reverse"))),
    )
    b.define(output, sums)


HANDLERS: dict[str, Handler] = {
    "ADD": binary("Add"),
    "SUB": binary("Sub"),
    "MUL": binary("Mul"),
    "DIV": binary("Div"),
    "MAXIMUM": binary("Max"),
    "MINIMUM": binary("Min"),
    "POW": binary("Pow"),
    "RELU": clamp(0, None),
    "RELU_N1_TO_1": clamp(-1, 1),
    "RELU_0_TO_1": clamp(0, 1),
    "RELU6": clamp(0, 6),
    "LOGISTIC": unary("Sigmoid"),
    "TANH": unary("Tanh"),
    "EXP": unary("Exp"),
    "LOG": unary("Log"),
    "SQRT": unary("Sqrt"),
    "NEG": unary("Neg"),
    "ABS": unary("Abs"),
    "ELU": unary("Elu"),
    "SIN": unary("Sin"),
    "COS": unary("Cos"),
    "FLOOR": unary("Floor"),
    "CEIL": unary("Ceil"),
    "ROUND": unary("Round"),
    "SIGN": unary("Sign"),
    "SQUARE": square,
    "SQUARED_DIFFERENCE": squared_difference,
    "RSQRT": rsqrt,
    "ZEROS_LIKE": zeros_like,
    "PRELU": prelu,
    "GELU": gelu,
    "LEAKY_RELU": leaky_relu,
    "HARD_SWISH": hard_swish,
    "SOFTMAX": softmax("Softmax"),
    "LOG_SOFTMAX": softmax("LogSoftmax"),
    "CUMSUM": cumulative_sum,
}
