"""Arithmetic between two tensors, and functions of one."""

from __future__ import annotations

from collections.abc import Callable

from resnet_edge.formats._onnx.builder import Builder, NotLowered
from resnet_edge.graph.model import Node

Handler = Callable[[Builder, Node], None]


def _operand(b: Builder, index: int, rank: int) -> str:
    """An operand of a broadcast. NumPy lines axes up from the right, which is C in NHWC and W
    in NCHW: a constant of lower rank is brought to the full rank before it is transposed."""
    shape = b.shape(index)
    if rank != 4 or len(shape) in (0, 4):
        return b.value(index)
    if not b.is_constant(index):
        raise NotLowered(f"{b.tensor(index).name!r} of rank {len(shape)} is broadcast to an image")
    data = b.constant(index)
    full = data.reshape((1,) * (4 - data.ndim) + data.shape).transpose(0, 3, 1, 2)
    return b.stored_constant(index, full)


def binary(op: str) -> Handler:
    """A handler for an operation of two operands with a fused activation."""

    def handle(b: Builder, node: Node) -> None:
        rank = max(len(b.shape(i)) for i in node.inputs)
        hint = b.name(node.outputs[0])
        made = b.node(op, [_operand(b, i, rank) for i in node.inputs], hint)
        activation = node.options.get("fusedActivationFunction", 0)
        b.define(node.outputs[0], b.activated(made, activation, node.outputs[0], hint))

    return handle


def unary(op: str) -> Handler:
    """A handler for a function of one tensor."""

    def handle(b: Builder, node: Node) -> None:
        made = b.node(op, [b.value(node.inputs[0])], b.name(node.outputs[0]))
        b.define(node.outputs[0], made)

    return handle


def clamp(activation: int) -> Handler:
    """A handler for an activation that stands alone."""

    def handle(b: Builder, node: Node) -> None:
        hint = b.name(node.outputs[0])
        b.define(node.outputs[0], b.activated(b.value(node.inputs[0]), activation, node.outputs[0], hint))

    return handle


def leaky_relu(b: Builder, node: Node) -> None:
    """LEAKY_RELU."""
    hint = b.name(node.outputs[0])
    b.define(node.outputs[0], b.node("LeakyRelu", [b.value(node.inputs[0])], hint, alpha=float(node.options["alpha"])))


def hard_swish(b: Builder, node: Node) -> None:
    """HARD_SWISH: x * clip(x / 6 + 1/2, 0, 1)."""
    hint, x = b.name(node.outputs[0]), b.value(node.inputs[0])
    gate = b.node("HardSigmoid", [x], hint, alpha=1 / 6, beta=0.5)
    b.define(node.outputs[0], b.node("Mul", [x, gate], hint))


def softmax(b: Builder, node: Node) -> None:
    """SOFTMAX over the last axis of a flat tensor."""
    if len(b.shape(node.inputs[0])) == 4:
        raise NotLowered("a softmax over an image")
    if float(node.options.get("beta", 1.0)) != 1.0:
        raise NotLowered("a softmax with a temperature")
    hint = b.name(node.outputs[0])
    b.define(node.outputs[0], b.node("Softmax", [b.value(node.inputs[0])], hint, axis=-1))


HANDLERS: dict[str, Handler] = {
    "ADD": binary("Add"),
    "SUB": binary("Sub"),
    "MUL": binary("Mul"),
    "DIV": binary("Div"),
    "MAXIMUM": binary("Max"),
    "MINIMUM": binary("Min"),
    "POW": binary("Pow"),
    "RELU": clamp(1),
    "RELU_N1_TO_1": clamp(2),
    "RELU6": clamp(3),
    "LOGISTIC": unary("Sigmoid"),
    "TANH": unary("Tanh"),
    "EXP": unary("Exp"),
    "LOG": unary("Log"),
    "SQRT": unary("Sqrt"),
    "NEG": unary("Neg"),
    "ABS": unary("Abs"),
    "LEAKY_RELU": leaky_relu,
    "HARD_SWISH": hard_swish,
    "SOFTMAX": softmax,
}
