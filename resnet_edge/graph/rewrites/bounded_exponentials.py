"""Exponentials that are never taken of more than what is read of them.

ELU, SELU, CELU and their like use exp(x) where x is below 0, and another branch elsewhere. TensorFlow's
converter has one operation for ELU; the others, and what is written by hand, it lowers to an EXP of all of x,
of which a SELECT or a MINIMUM drops most: what is dropped overflows in float16, and in int8 the grid of
the exponential, and of each sum and product behind it, is as wide as what is dropped. With

    EXP(MINIMUM(x, b))

where b is the largest x that is read, the answers are the same and no step is larger than exp(b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.model import Node, graph_of
from resnet_edge.graph.rewrites.monotone import Numbers, affine, compared_with_constant, monotone
from resnet_edge.graph.rewrites.operators import Inserter
from resnet_edge.graph.rewrites.readers import NO_ACTIVATION, RELU, Readers, activation
from resnet_edge.graph.rewrites.rectified_selects import rectify_selects
from resnet_edge.graph.rewrites.stable_exponentials import make_stable

ELEMENTWISE = frozenset(
    {"ADD", "SUB", "MUL", "DIV", "POW", "MINIMUM", "MAXIMUM", "NEG", "ABS", "SQUARE", "SQRT", "RSQRT"}
    | {"EXP", "LOG", "TANH", "LOGISTIC", "ELU", "GELU", "HARD_SWISH", "LEAKY_RELU", "SQUARED_DIFFERENCE"}
    | {"RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"}
)
"""What gives each number of the numbers at its place."""


def bound_exponentials(model: Any) -> int:
    """Rewrite the exponentials of the float32 `model`, a `schema.ModelT`, in place: those that
    stable_exponentials.py knows, then by what of them is read, then the choices that rectified_selects.py
    makes sums of. How many changes were made; a model without an EXP is left as it is."""
    exponential = schema.BuiltinOperator.EXP
    if all(max(c.builtinCode, c.deprecatedBuiltinCode) != exponential for c in model.operatorCodes):
        return 0  # before every constant is read
    return make_stable(model) + limit_exponentials(model) + rectify_selects(model)


def limit_exponentials(model: Any) -> int:
    """Bound each exponential by what is read of it, in place; how many were."""
    readers, operators, done = Readers(graph_of(model)), list(model.subgraphs[0].operators), 0
    for operator, node in zip(operators, readers.graph.nodes, strict=True):
        if node.op != "EXP":
            continue
        (x,) = node.inputs
        bound = _largest_read(readers, node)
        if bound is None or _at_most(readers, x, bound):
            continue
        layer = readers.graph.tensors[node.outputs[0]].name.split(";")[0]
        put = Inserter(model=model, before=operator, layer=layer)
        operator.inputs = np.asarray([put.put("MINIMUM", x, put.number(bound))], np.int32)
        done += 1
    return done


def _at_most(readers: Readers, x: int, bound: float) -> bool:
    maker = readers.maker(x)
    if maker is not None and maker.op == "MINIMUM":
        limits = [data for i in maker.inputs if (data := readers.constant(i)) is not None]
        if any((data <= bound).all() for data in limits):
            return True
    return bound >= 0 and readers.sign(x) < 0


@dataclass(frozen=True)
class _Path:
    """A tensor on the way from an exponential. While only constants were added and multiplied: what it is
    where the exponential is 1, and whether it rises (1) or falls (-1) with it."""

    index: int
    at_one: Numbers | None
    slope: int = 0


def _largest_read(readers: Readers, exponential: Node) -> float | None:
    """What an exponential is taken of at most where it is read; None where it is read everywhere."""
    (x,), (power,) = exponential.inputs, exponential.outputs
    front, seen, bounds = [_Path(power, np.ones((), np.float32), 1)], {power}, [-np.inf]
    while front:
        path = front.pop()
        if readers.is_output(path.index):
            return None
        for _, node in readers.of(path.index):
            if node.op in ("SELECT", "SELECT_V2"):
                bound = _chosen_up_to(readers, node, path.index, x)
            elif _limited(readers, node, path):
                bound = 0.0
            elif _is_elementwise(readers, node, path.index):
                if node.outputs[0] not in seen:
                    seen.add(node.outputs[0])
                    front.append(_behind(readers, node, path))
                continue
            else:
                bound = None
            if bound is None:
                return None
            bounds.append(bound)
    largest = float(max(bounds))
    return largest if np.isfinite(largest) else None


def _is_elementwise(readers: Readers, node: Node, index: int) -> bool:
    tensors = readers.graph.tensors
    return node.op in ELEMENTWISE and tensors[node.outputs[0]].shape == tensors[index].shape


def _behind(readers: Readers, node: Node, path: _Path) -> _Path:
    output, step = node.outputs[0], affine(readers, node, path.index)
    if path.at_one is None or step is None or activation(node) != NO_ACTIVATION:
        return _Path(output, None)
    return _Path(output, step.of(path.at_one), path.slope * step.slope)


def _limited(readers: Readers, node: Node, path: _Path) -> bool:
    """Whether an operation gives the same for every exponential above 1, as min(a (exp(x) - 1), 0) does. (It
    keeps its limit; so an EXP whose exp(0) is not 1 to the last bit cannot pass it.)"""
    if path.at_one is None:
        return False
    if activation(node) == RELU and (step := affine(readers, node, path.index)) is not None:
        return path.slope * step.slope < 0 and bool((step.of(path.at_one) <= 0).all())
    if node.op == "RELU":
        return path.slope < 0 and bool((path.at_one <= 0).all())
    if node.op not in ("MINIMUM", "MAXIMUM") or activation(node) != NO_ACTIVATION:
        return False
    other = readers.other(node, path.index)
    limit = None if other is None else readers.constant(other)
    if limit is None:
        return False
    if node.op == "MINIMUM":
        return path.slope > 0 and bool((path.at_one >= limit).all())
    return path.slope < 0 and bool((path.at_one <= limit).all())


def _chosen_up_to(readers: Readers, select: Node, index: int, x: int) -> float | None:
    """The largest `x` where a SELECT takes the branch `index`, if that is known by comparing what `x` is
    computed of, number by number, with a constant."""
    condition, *branches = select.inputs
    comparison, tensors = compared_with_constant(readers, condition), readers.graph.tensors
    if comparison is None or branches.count(index) != 1:
        return None
    if not tensors[select.outputs[0]].shape == tensors[comparison.compared].shape == tensors[index].shape:
        return None
    power, taken_below = (
        monotone(readers, x, comparison.compared),
        comparison.true_below == (branches[0] == index),
    )
    if power is None or (power.slope > 0) != taken_below:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        bound = power.of(comparison.border).max()
    return float(bound) if np.isfinite(bound) else None
