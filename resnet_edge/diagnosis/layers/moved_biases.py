"""Tensors before a bias on one side and behind it on the other.

A Dense layer on sequences is a product, a change of shape and an addition; exporters put the bias into the
product, or leave it where it is. The two products are then no counterparts, however near they are where the
bias is small, and what comes behind would be off by the bias: sections go past such a tensor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from resnet_edge.diagnosis.layers.matching import Match
from resnet_edge.diagnosis.layers.steps import AS_REAL, ROUNDERS, SAME_VALUES, LayerStep

_ONLY_MOVED = SAME_VALUES | ROUNDERS | AS_REAL


class CutGraphs(Protocol):
    """Both graphs, cut at the tensors that match."""

    @property
    def matches(self) -> Mapping[int, Match]:
        """By tensor of the reference."""

    def section(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        """The artifact's steps before a tensor."""

    def expected(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        """The reference's steps before it."""

    def read_by(self, tensor: int, cuts: Collection[int]) -> list[int]:
        """The cuts at which its section begins."""


def before_moved_biases(cut: CutGraphs) -> set[int]:
    """Those with a bias more or less than the reference's, which all that reads them, without computing
    anything else, has less or more."""
    everything = [*cut.matches]
    more = {i: _biases(cut.section(i, everything)) - _biases(cut.expected(i, everything)) for i in everything}
    readers: dict[int, list[int]] = {}
    for tensor in everything:
        for read in cut.read_by(tensor, everything):
            readers.setdefault(read, []).append(tensor)
    return {
        tensor
        for tensor, behind in readers.items()
        if more[tensor]
        and all(more[i] == -more[tensor] and cut.read_by(i, everything) == [tensor] for i in behind)
        and all(_only_adds((*cut.section(i, everything), *cut.expected(i, everything))) for i in behind)
    }


def _biases(steps: Iterable[LayerStep]) -> int:
    """How many steps add constants that are not zero."""
    added = (
        step.weights.bias if step.weights is not None else step.constant for step in steps if _adds(step)
    )
    return sum(bias is not None and bool(bias.values.any()) for bias in added)


def _adds(step: LayerStep) -> bool:
    return step.kind == "weighted" or step.kind == "sum"


def _only_adds(steps: Iterable[LayerStep]) -> bool:
    return all(step.op in _ONLY_MOVED or (step.kind == "sum" and step.constant is not None) for step in steps)
