"""Comparisons, and what is chosen by them."""

from __future__ import annotations

from resnet_edge.formats._onnx.builder import Builder, NotLowered
from resnet_edge.formats._onnx.elementwise import Handler, operand
from resnet_edge.graph.model import Node


def comparison(op: str, opposite: bool = False) -> Handler:
    """A handler for an operation of two operands that gives true or false; `opposite`: not `op`."""

    def handle(b: Builder, node: Node) -> None:
        (output,), hint = node.outputs, b.name(node.outputs[0])
        rank = max(len(b.shape(index)) for index in node.inputs)
        compared = b.node(op, [operand(b, index, rank) for index in node.inputs], hint)
        b.define_exact(output, b.node("Not", [compared], hint) if opposite else compared)

    return handle


def logical_not(b: Builder, node: Node) -> None:
    """LOGICAL_NOT."""
    b.define_exact(node.outputs[0], b.node("Not", [b.value(node.inputs[0])], b.name(node.outputs[0])))


def select(b: Builder, node: Node) -> None:
    """SELECT, SELECT_V2: numbers of the second operand where the first is true, of the third elsewhere."""
    hint, ranks = b.name(node.outputs[0]), [len(b.shape(index)) for index in node.inputs]
    if node.op == "SELECT" and ranks[0] == 1 < max(ranks):  # a condition for each image, from the left
        raise NotLowered(f"a choice between images at {hint!r}")
    operands = [operand(b, index, max(ranks)) for index in node.inputs]
    b.define(node.outputs[0], b.node("Where", operands, hint))


def cast(b: Builder, node: Node) -> None:
    """CAST of true and false to 1 and 0; of real numbers to real ones it changes nothing."""
    source, output = node.inputs[0], node.outputs[0]
    before, after = b.tensor(source).dtype, b.tensor(output).dtype
    if after != "float32" or before not in ("bool", "float32"):
        raise NotLowered(f"no lowering of CAST from {before} to {after} at {b.name(output)!r}")
    b.define_exact(output, b.value(source) if before == after else b.cast(b.value(source), b.real))


HANDLERS: dict[str, Handler] = {
    "GREATER": comparison("Greater"),
    "GREATER_EQUAL": comparison("GreaterOrEqual"),
    "LESS": comparison("Less"),
    "LESS_EQUAL": comparison("LessOrEqual"),
    "EQUAL": comparison("Equal"),
    "NOT_EQUAL": comparison("Equal", opposite=True),
    "LOGICAL_AND": comparison("And"),
    "LOGICAL_OR": comparison("Or"),
    "LOGICAL_NOT": logical_not,
    "SELECT": select,
    "SELECT_V2": select,
    "CAST": cast,
}
