"""Layers that stand on both sides, artifact and reference, with weights of one shape."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from resnet_edge.diagnosis.layers.matching import Match
from resnet_edge.diagnosis.layers.steps import LayerStep, Weights

LAYERS = frozenset({"conv_2d", "depthwise_conv_2d", "fully_connected"})
"""Of the reference; a transposed convolution has its weights in another order."""

MULTIPLIES = frozenset({"product", "quotient", "other"})
"""Kinds of steps that may scale channels."""


class Cut(Protocol):
    """Both graphs, cut at the tensors that match."""

    @property
    def matches(self) -> Mapping[int, Match]:
        """By tensor of the reference."""

    def section(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        """The artifact's steps before a tensor."""

    def expected(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        """The reference's."""

    def read_by(self, tensor: int, cuts: Collection[int]) -> list[int]:
        """The cuts before a tensor."""

    def reference_name(self, tensor: int) -> str:
        """Of a tensor, in the reference's steps."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A layer of both sides that gives one tensor from another (None: the image); `alone`: nothing else
    multiplies on its way. Both kernels are (O, kh, kw, I / groups)."""

    gives: int
    reads: int | None
    theirs: LayerStep
    ours: LayerStep
    alone: bool

    @property
    def weights(self) -> tuple[Weights, Weights]:
        """The reference's and ours."""
        assert self.theirs.weights is not None  # `links` has seen to both
        assert self.ours.weights is not None
        return self.theirs.weights, self.ours.weights

    @property
    def shape(self) -> tuple[int, ...]:
        """Of both kernels."""
        return self.weights[0].kernel.shape


def links(sections: Cut) -> list[Link]:
    """Of every matched tensor that one layer makes from another."""
    return [link for tensor in sections.matches for link in _link(sections, tensor)]


def _link(sections: Cut, tensor: int) -> Iterable[Link]:
    everything = [*sections.matches]
    section, expected = sections.section(tensor, everything), sections.expected(tensor, everything)
    ours, theirs = _only_layer(section), _only_layer(expected)
    if ours is None or theirs is None or theirs.op not in LAYERS:
        return
    before = sections.read_by(tensor, everything)
    read = [i for i in before if _feeds(sections.matches[i].name, section, ours)]
    if not all(_feeds(sections.reference_name(i), expected, theirs) for i in read):
        return  # a factor between the two is in the reference's weights
    alone = not any(step.kind in MULTIPLIES for step in (*section, *expected))
    link = Link(gives=tensor, reads=read[0] if read else None, theirs=theirs, ours=ours, alone=alone)
    one, other = link.weights
    alike = one.kernel.shape == other.kernel.shape and one.groups == other.groups
    channels = [sections.matches[i].shape[-1] for i in read]
    fits = len(read) < 2 and all(size == one.kernel.shape[3] * one.groups for size in channels)
    if alike and fits and sections.matches[tensor].shape[-1] == one.kernel.shape[0]:
        yield link


def _only_layer(section: list[LayerStep]) -> LayerStep | None:
    weighted = [step for step in section if step.kind == "weighted"]
    return weighted[0] if len(weighted) == 1 and weighted[0].weights is not None else None


def _feeds(name: str, section: list[LayerStep], layer: LayerStep) -> bool:
    """Whether a layer computes with a tensor."""
    reached = {name}
    for step in section:
        if step is layer:
            return bool(step.reads) and step.reads[0] in reached
        if reached.intersection(step.reads):
            reached.update(step.gives)
    return False
