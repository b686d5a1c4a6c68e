"""Products of two activations."""

from __future__ import annotations

from resnet_edge.formats._onnx.builder import NHWC, Builder
from resnet_edge.formats._onnx.layout import from_portable_order, transposed
from resnet_edge.graph.model import Node


def batch_matmul(b: Builder, node: Node) -> None:
    """BATCH_MATMUL: the last two axes of each operand as a matrix, which may be transposed first."""
    output, o = node.outputs[0], node.options
    left = _matrix(b, node.inputs[0], bool(o.get("adjX")))
    right = _matrix(b, node.inputs[1], bool(o.get("adjY")))
    product = b.rounded(b.node("MatMul", [left, right], b.name(output)), output)
    b.define_exact(output, from_portable_order(b, product, len(b.shape(output)), b.name(output)))


def _matrix(b: Builder, index: int, turned: bool) -> str:
    """The operand in the order of the portable graph, which transposes it or not in the same go."""
    rank = len(b.shape(index))
    order = [*NHWC] if rank == 4 else list(range(rank))
    if turned:
        order[-2:] = order[:-3:-1]
    return transposed(b, b.value(index), order, b.name(index))


HANDLERS = {"BATCH_MATMUL": batch_matmul}
