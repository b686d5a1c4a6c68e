"""What a tensor is as a function of another, number by number, where only constants are between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.model import Node
from resnet_edge.graph.rewrites.readers import NO_ACTIVATION, Readers, activation, sign_of

Numbers = NDArray[np.float32]
BELOW = {"LESS": True, "LESS_EQUAL": True, "GREATER": False, "GREATER_EQUAL": False}
"""Comparisons, and whether they are true of a first operand below the second."""


@dataclass(frozen=True)
class Monotone:
    """A function of each number that rises (slope 1) or falls (-1), as float32 computes it: rounding keeps
    the order, so that what it gives at a border bounds what it gives on that side."""

    of: Callable[[Any], Any]
    slope: int


@dataclass(frozen=True)
class Comparison:
    """A comparison of a tensor with a constant; `true_below`: whether it holds of what is less."""

    compared: int
    border: Numbers
    true_below: bool


def monotone(readers: Readers, target: int, source: int) -> Monotone | None:
    """How `target` is computed of `source`, if only constants are added and multiplied on the way."""
    steps: list[Monotone] = []
    while target != source:
        maker = readers.maker(target)
        if maker is None or activation(maker) != NO_ACTIVATION:
            return None
        varying = [i for i in maker.inputs if readers.constant(i) is None]
        step = affine(readers, maker, varying[0]) if len(varying) == 1 else None
        if step is None:
            return None
        steps.insert(0, step)
        target = varying[0]
    return Monotone(
        lambda value: reduce(lambda held, step: step.of(held), steps, value), prod(s.slope for s in steps)
    )


def affine(readers: Readers, node: Node, index: int) -> Monotone | None:
    """The operation as a function of its operand `index`, if the other is a constant of one sign; without
    its fused activation."""
    if node.op == "NEG":
        return Monotone(lambda value: -value, -1)
    other = readers.other(node, index)
    constant = None if other is None else readers.constant(other)
    if constant is None:
        return None
    first, sign = node.inputs[0] == index, sign_of(constant)
    match node.op:
        case "ADD":
            return Monotone(lambda value: value + constant, 1)
        case "SUB" if first:
            return Monotone(lambda value: value - constant, 1)
        case "SUB":
            return Monotone(lambda value: constant - value, -1)
        case "MUL" if sign:
            return Monotone(lambda value: value * constant, sign)
        case "DIV" if first and sign:
            return Monotone(lambda value: value / constant, sign)
    return None


def compared_with_constant(readers: Readers, condition: int) -> Comparison | None:
    """The comparison that gives `condition`; None where it is none of order, or not with a constant."""
    maker = readers.maker(condition)
    if maker is None or maker.op not in BELOW:
        return None
    left, right = maker.inputs
    if (border := readers.constant(right)) is not None:
        return Comparison(left, border, BELOW[maker.op])
    if (border := readers.constant(left)) is not None:
        return Comparison(right, border, not BELOW[maker.op])
    return None
