"""Channels that come into another order, and where that begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from resnet_edge.diagnosis.layers.reordered import first_reordered
from resnet_edge.diagnosis.layers.search import Accused, search
from resnet_edge.diagnosis.layers.sections import FloatReference, Sections
from tests.diagnosis.layers.test_compare import edited, explained, rescale
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_a_concatenation_in_another_order_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("max_pool_below_zero")
    model = onnx.load(net.artifact("onnx", "fp32")[0])
    node = next(node for node in model.graph.node if node.op_type == "Concat")
    node.input[:] = [*node.input][::-1]
    onnx.save(model, tmp_path / "reordered.onnx")
    explanation = explained(net, tmp_path / "reordered.onnx", tmp_path)
    assert (explanation.findings[0].layer, explanation.findings[0].cause) == (
        node.output[0],
        "output_channels",
    )


def gathered(net: Road, name: str, order: list[int], folder: Path) -> tuple[Sections, Accused]:
    """An fp32 file in which the channels of `name` are taken in that order, and what is accused in it."""
    model = onnx.load(net.artifact("onnx", "fp32")[0])
    nodes = [*model.graph.node]
    place = next(place for place, node in enumerate(nodes) if name in node.output)
    nodes[place].output[0] = "before"
    nodes.insert(place + 1, onnx.helper.make_node("Gather", ["before", "order"], [name], axis=1))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(order), "order"))
    onnx.save(model, folder / "gathered.onnx")
    sections = Sections(FloatReference(net.float_graph), folder / "gathered.onnx", "onnx", net.images[:4])
    return sections, search(sections).accused[0]


def test_the_step_that_reorders_what_its_section_reads_is_found(
    roads: Callable[[str], Road], tmp_path: Path
) -> None:
    """What is before it is the reference's as it is, and what is behind it is no tensor of the reference."""
    net = roads("residual_v1")
    model = onnx.load(net.artifact("onnx", "fp32")[0])
    name = [node.output[0] for node in model.graph.node if node.op_type == "Relu"][1]
    sections, accused = gathered(net, name, [0, 1, 5, 3, 4, 2, 6, 7], tmp_path)
    reordered = first_reordered(sections, accused)
    assert reordered is not None
    assert (reordered[0].op, reordered[0].gives, reordered[1].tolist()) == ("gather", (name,), [2, 5])


def test_what_is_wrong_in_order_is_not_said_to_be_in_another(
    roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads("residual_v1")
    path, _ = edited(net, tmp_path / "rescaled.onnx", rescale)
    sections = Sections(FloatReference(net.float_graph), path, "onnx", net.images[:4])
    (accused,) = search(sections).accused
    assert first_reordered(sections, accused) is None
