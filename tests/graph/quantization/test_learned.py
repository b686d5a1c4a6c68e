"""Tests of how learned ranges find their tensors. With fake quantization: compression/tfmot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.learned import Learned, learned_ranges, read_learned
from resnet_edge.models.activations import activations
from resnet_edge.models.functional.flat import flat_graph
from tests.formats import nets
from tests.graph.road import Road, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def net() -> keras.Model:
    """The same convolution before a ReLU and before a pooling."""

    def body(x: keras.KerasTensor) -> keras.KerasTensor:
        x = layers.Conv2D(6, 3, padding="same", name="conv")(x)
        a = layers.ReLU(name="relu")(x)
        b = layers.MaxPooling2D(3, 1, "same", name="pool")(x)
        return layers.Add(name="add")([a, b])

    return nets.classifier(body)


@pytest.fixture(scope="module")
def road_and_learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Road, Learned]:
    model = net()
    graph, images = flat_graph(model, model.input_shape[1:]), nets.images(model)
    names = ["conv", "relu", "add"]
    ranges = {name: (-float(number), 1.0 + number) for number, name in enumerate(names)}
    learned = Learned(ranges, images[:2], activations(graph, names, images[:2]))
    return road(model, images, tmp_path_factory.mktemp("learned")), learned


def test_each_tensor_has_the_range_of_the_layer_whose_values_it_holds(
    road_and_learned: tuple[Road, Learned],
) -> None:
    there, learned = road_and_learned
    ranges = learned_ranges(there.float_graph, learned)
    graph = read_graph(there.float_graph)
    by_op = {node.op: ranges.get(graph.tensors[node.outputs[0]].name) for node in graph.nodes}
    assert by_op["CONV_2D"] == (0.0, 1.0)
    assert by_op["RELU"] == (-1.0, 2.0)
    assert by_op["ADD"] == (-2.0, 3.0)
    assert by_op["MAX_POOL_2D"] is None, "a pool has the grid of what it pools"
    assert len(ranges) == 3


def test_they_are_the_same_after_a_file(road_and_learned: tuple[Road, Learned], tmp_path: Path) -> None:
    there, learned = road_and_learned
    learned = replace(learned, optional=("add",))
    learned.save(tmp_path / "learned.npz")
    stored = read_learned(tmp_path / "learned.npz")
    assert (stored.ranges, stored.optional) == (learned.ranges, learned.optional)
    assert learned_ranges(there.float_graph, stored) == learned_ranges(there.float_graph, learned)


def with_stranger(learned: Learned, values: np.ndarray) -> Learned:
    return replace(
        learned,
        ranges={**learned.ranges, "stranger": (0.0, 9.0)},
        outputs={**learned.outputs, "stranger": values},
    )


def test_a_layer_that_no_tensor_holds_is_named(road_and_learned: tuple[Road, Learned]) -> None:
    there, learned = road_and_learned
    close = with_stranger(learned, 1.01 * learned.outputs["add"])
    with pytest.raises(ArtifactError, match=r"holds what stranger gives \(1 of 4 learned ranges"):
        learned_ranges(there.float_graph, close)
    with pytest.raises(ArtifactError, match="stranger"):
        learned_ranges(there.float_graph, with_stranger(learned, learned.outputs["add"][:, :1]))


def test_one_that_may_be_folded_away_need_not_be_found(road_and_learned: tuple[Road, Learned]) -> None:
    there, learned = road_and_learned
    strange = with_stranger(learned, 2 * learned.outputs["add"])
    assert learned_ranges(there.float_graph, replace(strange, optional=("stranger",))) == learned_ranges(
        there.float_graph, learned
    )


def test_of_layers_that_give_the_same_the_last_one_counts(road_and_learned: tuple[Road, Learned]) -> None:
    there, learned = road_and_learned
    twin = with_stranger(learned, learned.outputs["relu"].copy())
    ranges = learned_ranges(there.float_graph, twin)
    assert (0.0, 9.0) in ranges.values()
    assert (-1.0, 2.0) not in ranges.values()


def test_all_images_must_agree(road_and_learned: tuple[Road, Learned]) -> None:
    there, learned = road_and_learned
    outputs = learned.outputs["add"].copy()
    outputs[1] = 0
    with pytest.raises(ArtifactError, match="stranger"):
        learned_ranges(there.float_graph, with_stranger(learned, outputs))
