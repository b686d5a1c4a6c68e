from __future__ import annotations

from pathlib import Path

from resnet_edge.graph.model import Graph, Node, Tensor, read_graph
from resnet_edge.graph.quantization.grids import Grid, float_operations, grids, layer_of
from tests.graph.mixed import float_graph, mixed_graph, named
from tests.graph.road import Road


def graph_of(*nodes: tuple[str, tuple[int, ...], int], image: int = 0) -> Graph:
    """Nodes as (operation, inputs, output); tensors are called by their numbers."""
    last = max(output for _, _, output in nodes)
    tensors = tuple(
        Tensor(name=str(i), shape=(1, 4), dtype="float32", data=None, quantization=None)
        for i in range(last + 1)
    )
    operations = tuple(Node(op, inputs, (output,), {}) for op, inputs, output in nodes)
    return Graph(tensors, operations, (image,), (last,))


def grid(roots: set[int], makers: set[int], readers: set[int], moves: set[int]) -> Grid:
    return Grid(tuple(sorted(roots)), frozenset(makers), frozenset(readers), frozenset(moves))


def test_a_block_has_a_grid_for_every_activation() -> None:
    graph = graph_of(("CONV_2D", (0,), 1), ("CONV_2D", (1,), 2), ("ADD", (1, 2), 3))
    assert grids(graph, range(3)) == (
        grid({0}, set(), {0}, set()),
        grid({1}, {0}, {1, 2}, set()),
        grid({2}, {1}, {2}, set()),
        grid({3}, {2}, set(), set()),
    )


def test_what_only_moves_numbers_has_no_grid_of_its_own() -> None:
    graph = graph_of(("CONV_2D", (0,), 1), ("PAD", (1,), 2), ("MAX_POOL_2D", (2,), 3), ("ADD", (1, 3), 4))
    assert grid({1}, {0}, {3}, {1, 2}) in grids(graph, range(4))


def test_concatenation_brings_two_activations_on_one_grid() -> None:
    graph = graph_of(("CONV_2D", (0,), 1), ("CONV_2D", (0,), 2), ("CONCATENATION", (1, 2), 3))
    assert grid({1, 2}, {0, 1}, set(), {2}) in grids(graph, range(3))


def test_padded_image_is_still_the_image() -> None:
    graph = graph_of(("PAD", (0,), 1), ("CONV_2D", (1,), 2))
    assert grid({0}, set(), {1}, {0}) in grids(graph, range(2))


def test_operations_in_float_round_nothing() -> None:
    graph = graph_of(("CONV_2D", (0,), 1), ("GELU", (1,), 2), ("CONV_2D", (2,), 3))
    assert grids(graph, [0, 2]) == (
        grid({0}, set(), {0}, set()),
        grid({1}, {0}, set(), set()),
        grid({2}, set(), {2}, set()),
        grid({3}, {2}, set(), set()),
    )


def test_float_operations_are_those_without_any_integer(residual: Road, tmp_path: Path) -> None:
    assert float_operations(float_graph(residual)) == set(named(float_graph(residual)))
    assert float_operations(read_graph(residual.portable("int8"))) == frozenset()
    layers = named(float_graph(residual), "CONV_2D")[1:3]
    assert float_operations(read_graph(mixed_graph(residual, layers, tmp_path))) == set(layers)


def test_a_layer_is_called_by_its_output() -> None:
    graph = graph_of(("CONV_2D", (0,), 1))
    assert layer_of(graph, graph.nodes[0]) == "1"
