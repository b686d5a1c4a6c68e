"""A good file beside its reference, cut at its tensors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from resnet_edge.diagnosis.layers.scaled_weights import Scale
from resnet_edge.diagnosis.layers.sections import FloatReference, Sections, between
from tests.diagnosis.layers.plain_steps import opened
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FORKED = opened(
    "a = conv_2d image", "b = relu a", "c = conv_2d b", "d = conv_2d a", "e = add c d", "f = conv_2d e"
)


@pytest.mark.parametrize(
    ("name", "ends", "gives"),
    [
        ("e", {"image"}, "abcde"),
        ("e", {"b", "a"}, "cde"),
        ("e", {"b"}, "acde"),  # the other way goes past the cut
        ("b", {"b", "image"}, "ab"),  # a cut at the tensor itself is none before it
        ("c", {"b"}, "c"),
        ("f", {"e"}, "f"),
        ("image", set(), ""),
        ("elsewhere", set(), ""),
    ],
)
def test_what_lies_between_a_tensor_and_the_cuts_before_it(name: str, ends: set[str], gives: str) -> None:
    assert [step.gives[0] for step in between(FORKED, name, ends)] == [*gives]


@pytest.fixture(scope="module", params=[("tflite", "int8"), ("onnx", "fp32")], ids=str)
def sections(request: pytest.FixtureRequest, roads: Callable[[str], Road]) -> Sections:
    net = roads("residual_v1")
    format, scheme = request.param
    path, _ = net.artifact(format, scheme)
    return Sections(FloatReference(net.float_graph), path, format, net.images[:4])


def test_every_layer_of_the_reference_is_matched(sections: Sections) -> None:
    weighted = [step.gives[0] for step in sections.reference.opened.steps if step.weights is not None]
    assert len(weighted) > 4
    matched = {sections.reference_name(tensor) for tensor in sections.matches}
    # a layer with a ReLU in it ends in that
    assert len(matched) >= len(weighted)
    assert sections.reference.exit in sections.matches


def test_sections_lie_end_to_end(sections: Sections) -> None:
    """With a cut at each tensor, each step that computes is in one section, and readers are the reverse of
    what is read."""
    everything = [*sections.matches]
    for tensor in everything:
        for read in sections.read_by(tensor, everything):
            assert tensor in sections.readers(read)
        names = [step.gives[0] for step in sections.section(tensor, everything)]
        assert sections.matches[tensor].name in names
        others = {sections.matches[i].name for i in everything if i != tensor}
        assert others.isdisjoint(names)
    assert sections.readers(sections.reference.exit) == []


def test_nothing_departs_and_every_tensor_is_held_to_a_bound(sections: Sections) -> None:
    judged = sections.judged([*sections.matches])
    assert (judged.departures, judged.unknown, judged.opaque) == ({}, frozenset(), frozenset())
    assert sections.held(judged) == {*sections.matches}


def test_without_cuts_errors_are_those_of_the_reference_itself(sections: Sections) -> None:
    """`own` is beside the reference's own activations; with cuts, what a layer reads is not its fault."""
    cut = sections.sums([*sections.matches])
    exit = sections.reference.exit
    assert sections.own[exit].error.sum() > cut[exit].error.sum() >= 0


def test_a_tensor_that_is_taken_for_twice_the_reference_departs(sections: Sections) -> None:
    tensor = next(i for i in sections.matches if i != sections.reference.exit)
    channels = sections.matches[tensor].shape[-1]
    sections.scale({tensor: Scale(factors=np.full(channels, 2.0), share=np.zeros(channels))})
    assert tensor in sections.judged([*sections.matches]).departures
    sections.scale({})
    assert sections.judged([*sections.matches]).departures == {}
