from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.graph.model import Graph, Node, Tensor
from resnet_edge.graph.quantization.float_layers import LEAST_INT8, choices, macs_of
from resnet_edge.graph.quantization.grids import grids
from resnet_edge.graph.quantization.sensitivity import Sensitivity
from tests.formats import nets
from tests.graph.mixed import HOSTILE, float_graph, hostile, mixed_graph, named
from tests.graph.quantization.test_sensitivity import measured, sqnr_of
from tests.graph.road import Road, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def chain(sizes: list[int]) -> Graph:
    """Dense layers one after the other, the n-th of `sizes[n]` inputs and one output: so many MACs."""
    tensors = [Tensor(name="image", shape=(1, sizes[0]), dtype="float32", data=None, quantization=None)]
    nodes = []
    for n, size in enumerate(sizes):
        kernel = Tensor(
            name=f"w{n}",
            shape=(1, size),
            dtype="float32",
            data=np.zeros((1, size), np.float32),
            quantization=None,
        )
        tensors += [
            kernel,
            Tensor(name=f"layer{n}", shape=(1, 1), dtype="float32", data=None, quantization=None),
        ]
        nodes.append(Node("FULLY_CONNECTED", (2 * n, 2 * n + 1), (2 * n + 2,), {}))
    return Graph(tuple(tensors), tuple(nodes), (0,), (2 * len(sizes),))


def noises(graph: Graph, kernels: list[float], activations: list[float], signal: float = 1e4) -> Sensitivity:
    all_grids = grids(graph, range(len(graph.nodes)))
    return Sensitivity(
        signal, dict(enumerate(kernels)), dict(zip(all_grids, activations, strict=True)), readers={}
    )


def test_first_choice_is_nothing_in_float_with_all_noise() -> None:
    graph = chain([10, 10])
    first = choices(graph, noises(graph, [40, 20], [10, 20, 10]))[0]
    assert (first.float_layers, first.int8_macs) == ((), 1.0)
    assert first.expected_sqnr_db == pytest.approx(20)


def test_most_noise_for_the_fewest_macs_comes_first() -> None:
    graph = chain([100, 10, 100, 100])
    steps = choices(graph, noises(graph, [30, 30, 30, 0], [0] * 5))
    assert steps[1].float_layers == ("layer1",)
    assert steps[1].int8_macs == pytest.approx(300 / 310)
    assert steps[1].expected_sqnr_db == pytest.approx(10 * np.log10(1e4 / 60))


def test_an_activation_is_saved_by_both_of_its_neighbours() -> None:
    graph = chain([10] * 6)
    steps = choices(graph, noises(graph, [1] * 6, [0, 0, 0, 500, 0, 0, 0]))
    assert set(steps[1].float_layers) == {"layer2", "layer3"}


def test_choices_grow_and_get_better_and_keep_half_of_the_macs_in_int8() -> None:
    graph = chain([10] * 10)
    steps = choices(graph, noises(graph, [*range(1, 11)], [5] * 11))
    for less, more in zip(steps, steps[1:], strict=False):
        assert set(less.float_layers) < set(more.float_layers)
        assert less.expected_sqnr_db < more.expected_sqnr_db
    assert steps[-1].int8_macs == pytest.approx(LEAST_INT8)


def test_frozen_layers_stay_int8() -> None:
    graph = chain([10] * 4)
    steps = choices(graph, noises(graph, [900, 1, 1, 1], [0] * 5), frozen={"layer0"})
    assert all("layer0" not in choice.float_layers for choice in steps)
    assert len(steps) == 1, "what is left is not worth a step"


def test_a_net_without_noise_has_nothing_to_choose() -> None:
    graph = chain([10, 10])
    assert len(choices(graph, noises(graph, [0, 0], [0, 0, 0]))) == 1


def test_hostile_layers_are_chosen_and_fixed(tmp_path: Path) -> None:
    model = hostile()
    net = road(model, nets.images(model), tmp_path)
    graph = float_graph(net)
    steps = choices(graph, measured(net, tmp_path))
    # Its reader, whose smallest weights meet the largest numbers, may be taken first.
    choice = next(each for each in steps[1:3] if any(HOSTILE in layer for layer in each.float_layers))
    assert choice.int8_macs > 0.75
    before = sqnr_of(net, mixed_graph(net, [], tmp_path))
    after = sqnr_of(net, mixed_graph(net, choice.float_layers, tmp_path))
    assert before < 20 < 30 < after


@pytest.mark.parametrize("name", ["residual_v1", "bottleneck"])
def test_expected_sqnr_comes_true(name: str, tmp_path: Path) -> None:
    model = getattr(nets, name)()
    net = road(model, nets.images(model, n=64), tmp_path)
    steps = choices(float_graph(net), measured(net, tmp_path))
    assert len(steps) > 3
    for choice in steps[:: max(1, len(steps) // 3)]:
        measured_db = sqnr_of(net, mixed_graph(net, choice.float_layers, tmp_path))
        assert choice.expected_sqnr_db == pytest.approx(measured_db, abs=4)


def test_what_only_moves_numbers_follows_its_neighbours(tmp_path: Path) -> None:
    """The padding between two layers in float has no integers to go through."""
    model = nets.bottleneck()
    net = road(model, nets.images(model), tmp_path)
    graph = float_graph(net)
    pads = set(named(graph, "PAD", "MAX_POOL_2D"))
    last = choices(graph, measured(net, tmp_path))[-1]
    makers = {layer for layer in named(graph)[:2] if layer in last.float_layers}
    assert not makers or pads & set(last.float_layers)


def test_macs_are_those_of_the_papers(residual: Road) -> None:
    graph = float_graph(residual)
    macs = dict(zip(named(graph), (macs_of(graph, node) for node in graph.nodes), strict=True))
    convolutions = [macs[name] for name in named(graph, "CONV_2D")]
    assert convolutions[0] == 13 * 11 * 3 * 3 * 3 * 8
    assert convolutions[1] == 13 * 11 * 3 * 3 * 8 * 8
    assert [macs[name] for name in named(graph, "FULLY_CONNECTED")] == [12 * 5]
    assert {macs[name] for name in named(graph, "ADD", "MEAN")} == {0}


def test_macs_of_depthwise_convolutions(tmp_path: Path) -> None:
    model = nets.depth_multiplier()
    graph = float_graph(road(model, nets.images(model), tmp_path))
    node = next(n for n in graph.nodes if n.op == "DEPTHWISE_CONV_2D")
    assert macs_of(graph, node) == 13 * 11 * 3 * 3 * 6
