"""Exponentials that are never taken of more than what is read of them.

ELU, SELU, CELU and their like use exp(x) where x is below 0, and another branch elsewhere. TensorFlow's
converter has one operation for ELU; the others, and what is written by hand, it lowers to an EXP of all of x,
of which a SELECT or a MINIMUM drops most: what is dropped overflows in float16, and in int8 the grid of
the exponential, and of each sum and product behind it, is as wide as what is dropped. With

    EXP(MINIMUM(x, b))

where b is the largest x that is read, the answers are the same and no step is larger than exp(b).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.graph.model import Node, graph_of
from resnet_edge.graph.operators import Inserter
from resnet_edge.graph.readers import NO_ACTIVATION, RELU, Readers, activation, sign_of
from resnet_edge.graph.stable_exponentials import make_stable

Numbers = NDArray[np.float32]
ELEMENTWISE = frozenset(
    {"ADD", "SUB", "MUL", "DIV", "POW", "MINIMUM", "MAXIMUM", "NEG", "ABS", "SQUARE", "SQRT", "RSQRT"}
    | {"EXP", "LOG", "TANH", "LOGISTIC", "ELU", "GELU", "HARD_SWISH", "LEAKY_RELU", "SQUARED_DIFFERENCE"}
    | {"RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"}
)
"""What gives each number of the numbers at its place."""
BELOW = {"LESS": True, "LESS_EQUAL": True, "GREATER": False, "GREATER_EQUAL": False}
"""Comparisons, and whether they are true of a first operand below the second."""


def bound_exponentials(model: Any) -> int:
    """Rewrite the exponentials of the float32 `model`, a `schema.ModelT`, in place, by stable_exponentials.py
    and by what of them is read; how many changes were made. A model without an EXP is left as it is."""
    exponential = schema.BuiltinOperator.EXP
    if all(max(c.builtinCode, c.deprecatedBuiltinCode) != exponential for c in model.operatorCodes):
        return 0  # before every constant is read
    return make_stable(model) + _bounded(model)


def _bounded(model: Any) -> int:
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
    output, step = node.outputs[0], _affine(readers, node, path.index)
    if path.at_one is None or step is None or activation(node) != NO_ACTIVATION:
        return _Path(output, None)
    return _Path(output, step.of(path.at_one), path.slope * step.slope)


def _limited(readers: Readers, node: Node, path: _Path) -> bool:
    """Whether an operation gives the same for every exponential above 1, as min(a (exp(x) - 1), 0) does. (It
    keeps its limit; so an EXP whose exp(0) is not 1 to the last bit cannot pass it.)"""
    if path.at_one is None:
        return False
    if activation(node) == RELU and (step := _affine(readers, node, path.index)) is not None:
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
    """The largest `x` where a SELECT takes the branch `index`, if that is told by comparing what `x` is
    computed of, number by number, with a constant."""
    condition, *branches = select.inputs
    comparison, tensors = readers.maker(condition), readers.graph.tensors
    if comparison is None or comparison.op not in BELOW or branches.count(index) != 1 or condition == index:
        return None
    if tensors[select.outputs[0]].shape != tensors[index].shape:
        return None
    left, right = comparison.inputs
    below = BELOW[comparison.op] == (branches[0] == index)
    if (border := readers.constant(right)) is not None:
        compared = left
    elif (border := readers.constant(left)) is not None:
        compared, below = right, not below
    else:
        return None
    if tensors[compared].shape != tensors[index].shape:
        return None
    found = _monotone(readers, x, compared)
    if found is None or (found.slope > 0) != below:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        bound = found.of(border.astype(np.float32)).max()
    return float(bound) if np.isfinite(bound) else None


@dataclass(frozen=True)
class _Step:
    """A function of each number that rises (slope 1) or falls (-1), as float32 computes it: rounding keeps
    the order, so that what it gives at a border bounds what it gives on that side."""

    of: Callable[[Any], Any]
    slope: int


def _monotone(readers: Readers, target: int, source: int) -> _Step | None:
    """How `target` is computed of `source`, if only constants are added and multiplied on the way."""
    steps: list[_Step] = []
    while target != source:
        maker = readers.maker(target)
        if maker is None or activation(maker) != NO_ACTIVATION:
            return None
        varying = [i for i in maker.inputs if readers.constant(i) is None]
        step = _affine(readers, maker, varying[0]) if len(varying) == 1 else None
        if step is None:
            return None
        steps.insert(0, step)
        target = varying[0]
    return _Step(
        lambda value: reduce(lambda held, step: step.of(held), steps, value), prod(s.slope for s in steps)
    )


def _affine(readers: Readers, node: Node, index: int) -> _Step | None:
    """The operation as a function of its operand `index`, if the other is a constant of one sign."""
    if node.op == "NEG":
        return _Step(lambda value: -value, -1)
    other = readers.other(node, index)
    constant = None if other is None else readers.constant(other)
    if constant is None:
        return None
    first, sign = node.inputs[0] == index, sign_of(constant)
    match node.op:
        case "ADD":
            return _Step(lambda value: value + constant, 1)
        case "SUB" if first:
            return _Step(lambda value: value - constant, 1)
        case "SUB":
            return _Step(lambda value: constant - value, -1)
        case "MUL" if sign:
            return _Step(lambda value: value * constant, sign)
        case "DIV" if first and sign:
            return _Step(lambda value: value / constant, sign)
    return None
