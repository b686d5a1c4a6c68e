"""Layers of both sides between the same two tensors."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from resnet_edge.diagnosis.layers.links import Link, links
from resnet_edge.diagnosis.layers.matching import Match
from resnet_edge.diagnosis.layers.sections import between
from resnet_edge.diagnosis.layers.steps import LayerStep, OpenedSteps
from tests.diagnosis.layers.layer_links import layer
from tests.diagnosis.layers.plain_steps import opened, step

KERNEL = np.ones((4, 1, 1, 4))


@dataclass
class BothFiles:
    """Whose tensors match where their names are the same in capitals; the reference has those."""

    theirs: OpenedSteps
    ours: OpenedSteps
    names: tuple[str, ...]
    channels: int = 4

    @property
    def matches(self) -> dict[int, Match]:
        shape = (1, 2, 2, self.channels)
        return {i: Match(tensor=i, shape=shape, name=n, layout="last") for i, n in enumerate(self.names)}

    def reference_name(self, tensor: int) -> str:
        return self.names[tensor].upper()

    def section(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        return between(self.ours, self.names[tensor], {"image", *(self.names[i] for i in cuts)})

    def expected(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        ends = {"image", *(self.reference_name(i) for i in cuts)}
        return between(self.theirs, self.reference_name(tensor), ends)

    def read_by(self, tensor: int, cuts: Collection[int]) -> list[int]:
        read = {name for one in self.section(tensor, cuts) for name in one.reads}
        return [i for i in cuts if i != tensor and self.names[i] in read]


def links_of(
    theirs: list[LayerStep], ours: list[LayerStep], names: tuple[str, ...] = ("x", "y"), channels: int = 4
) -> list[Link]:
    return links(BothFiles(opened(*theirs), opened(*ours), names, channels))


RELU = step("X = relu image"), step("x = relu image")


def test_a_layer_between_two_tensors() -> None:
    (link,) = links_of(
        [RELU[0], layer("Y", KERNEL, 0, None, "X")], [RELU[1], layer("y", KERNEL, 0, None, "x")]
    )
    assert (link.gives, link.reads, link.alone) == (1, 0, True)
    assert (link.theirs.gives, link.ours.gives) == (("Y",), ("y",))
    assert link.shape == KERNEL.shape


def test_a_layer_that_reads_the_image() -> None:
    three = np.ones((4, 1, 1, 3))
    (link,) = links_of([layer("Y", three, 0, None, "image")], [layer("y", three, 0, None, "image")], ("y",))
    assert link.reads is None


def test_a_factor_behind_the_layer_is_told() -> None:
    ours = [RELU[1], layer("inner", KERNEL, 0, None, "x"), step("y = mul inner", kind="product")]
    (link,) = links_of([RELU[0], layer("Y", KERNEL, 0, None, "X")], ours)
    assert not link.alone


def test_a_factor_before_the_reference_layer_is_in_its_weights() -> None:
    """What the artifact has between the two tensors is then no link of one kernel with one."""
    theirs = [RELU[0], step("SCALED = mul image"), layer("Y", KERNEL, 0, None, "SCALED")]
    ours = [RELU[1], layer("y", KERNEL, 0, None, "x")]
    assert links_of(theirs, ours) == []


def test_two_layers_in_one_section_are_no_link() -> None:
    ours = [RELU[1], layer("inner", KERNEL, 0, None, "x"), layer("y", KERNEL, 0, None, "inner")]
    assert links_of([RELU[0], layer("Y", KERNEL, 0, None, "X")], ours) == []


def test_kernels_of_other_shapes_or_groups_are_no_link() -> None:
    theirs = [RELU[0], layer("Y", KERNEL, 0, None, "X")]
    assert links_of(theirs, [RELU[1], layer("y", np.ones((4, 3, 3, 4)), 0, None, "x")]) == []
    grouped = layer("y", np.ones((4, 1, 1, 2)), 0, None, "x")
    assert grouped.weights is not None
    assert links_of(theirs, [RELU[1], replace(grouped, weights=replace(grouped.weights, groups=2))]) == []


def test_a_tensor_with_other_channels_than_the_kernel_reads_is_no_link() -> None:
    """A flattened image before a Dense layer."""
    theirs, ours = [RELU[0], layer("Y", KERNEL, 0, None, "X")], [RELU[1], layer("y", KERNEL, 0, None, "x")]
    assert links_of(theirs, ours, channels=5) == []


def test_a_transposed_convolution_is_no_link() -> None:
    theirs = [RELU[0], replace(layer("Y", KERNEL, 0, None, "X"), op="transpose_conv")]
    assert links_of(theirs, [RELU[1], layer("y", KERNEL, 0, None, "x")]) == []
