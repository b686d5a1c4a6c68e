"""A choice between two branches that are both 0 at the border, as a sum.

    where(x > 0, a x, b (exp(min(x, 0)) - 1)) = max(a x, 0) + b (exp(min(x, 0)) - 1)

for a > 0: to the bit, since the other summand is 0 on either side. XNNPACK has neither comparisons nor
SELECT, ONNX Runtime's Where is slow and knows no integers; both add int8 numbers as int8.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.model import Node, graph_of
from resnet_edge.graph.rewrites.monotone import compared_with_constant, monotone
from resnet_edge.graph.rewrites.operators import Inserter, remove, remove_unread
from resnet_edge.graph.rewrites.readers import Readers

FUSING = frozenset({"ADD", "SUB", "MUL", "DIV"})


def rectify_selects(model: Any) -> int:
    """Rewrite the float32 `model`, a `schema.ModelT`, in place; how many choices became sums."""
    readers, operators, done = Readers(graph_of(model)), list(model.subgraphs[0].operators), 0
    for operator, node in zip(operators, readers.graph.nodes, strict=True):
        branches = _above_and_below(readers, node) if node.op in ("SELECT", "SELECT_V2") else None
        if branches is None:
            continue
        above, below = branches
        (output,) = node.outputs
        put = Inserter(model=model, before=operator, layer=readers.graph.tensors[output].name.split(";")[0])
        put.put("ADD", _rectified(put, readers, above), below, output=output)
        remove(model, operator)
        done += 1
    if done:
        remove_unread(model)
    return done


def _above_and_below(readers: Readers, select: Node) -> tuple[int, int] | None:
    """The branches of a SELECT between what rises from 0 at 0 and what ends at 0 there, or None."""
    comparison = compared_with_constant(readers, select.inputs[0])
    if comparison is None or (comparison.border != 0).any():
        return None
    below, above = select.inputs[1:] if comparison.true_below else select.inputs[:0:-1]
    shapes = {readers.graph.tensors[i].shape for i in (above, below, comparison.compared, select.outputs[0])}
    rising = monotone(readers, above, comparison.compared)
    if len(shapes) != 1 or rising is None or rising.slope < 0 or (rising.of(np.float32(0)) != 0).any():
        return None
    return (above, below) if _ends_at_zero(readers, below, comparison.compared) else None


def _ends_at_zero(readers: Readers, branch: int, x: int) -> bool:
    """Whether a tensor is 0 wherever `x` is 0 or more: computed of an exponential that is 1 there."""
    power = branch
    while (maker := readers.maker(power)) is not None and maker.op != "EXP":
        varying = [i for i in maker.inputs if readers.constant(i) is None]
        if len(varying) != 1:
            return False
        power = varying[0]
    if maker is None:
        return False
    behind, limit = monotone(readers, branch, power), readers.maker(maker.inputs[0])
    if behind is None or (behind.of(np.float32(1)) != 0).any() or limit is None or limit.op != "MINIMUM":
        return False
    first, second = limit.inputs
    if not readers.is_constant(second, 0):
        first, second = second, first
    front = monotone(readers, first, x) if readers.is_constant(second, 0) else None
    return front is not None and front.slope > 0 and not (front.of(np.float32(0)) != 0).any()


def _rectified(put: Inserter, readers: Readers, index: int) -> int:
    """max(., 0) of a tensor, fused into what makes it where nothing else reads that."""
    maker = readers.maker(index)
    if maker is not None and maker.op in FUSING and len(readers.of(index)) == 1:
        operator = next(o for o in put.model.subgraphs[0].operators if index in o.outputs)
        operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU
        return index
    return put.put("RELU", index)
